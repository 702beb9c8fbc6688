// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title The token in which royalties are settled
/// @notice An ERC-20 with six decimals. One minter stands for the money that comes in from outside (subscriptions,
/// licences); in a simulation it mints each epoch's pool.
contract SettlementToken is ERC20 {
    /// @notice The only account that may mint.
    address public immutable minter;

    error NotMinter(address caller);

    /// @param name_ Name shown by wallets.
    /// @param symbol_ Symbol shown by wallets.
    /// @param minter_ The only account that may mint.
    constructor(string memory name_, string memory symbol_, address minter_) ERC20(name_, symbol_) {
        minter = minter_;
    }

    /// @notice Smallest units per token: 10 ** 6.
    function decimals() public pure override returns (uint8) {
        return 6;
    }

    /// @notice Create `amount` smallest units on `account`.
    function mint(address account, uint256 amount) external {
        if (msg.sender != minter) revert NotMinter(msg.sender);
        _mint(account, amount);
    }
}
