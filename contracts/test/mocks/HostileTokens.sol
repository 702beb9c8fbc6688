// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice An ERC-20 anybody may mint.
contract PlainToken is ERC20 {
    constructor() ERC20("Plain", "PLAIN") {}

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }
}

/// @notice Keeps one part in a hundred of every transfer: what arrives is not what was sent.
contract FeeToken is PlainToken {
    function _update(address from, address to, uint256 amount) internal override {
        if (from == address(0) || to == address(0)) return super._update(from, to, amount);
        uint256 fee = amount / 100;
        super._update(from, address(0xfee), fee);
        super._update(from, to, amount - fee);
    }
}

/// @notice Refuses amounts above 2^96 - 1, as some governance tokens do.
contract Uint96Token is PlainToken {
    error AmountExceeds96Bits(uint256 amount);

    function _update(address from, address to, uint256 amount) internal override {
        if (amount > type(uint96).max) revert AmountExceeds96Bits(amount);
        super._update(from, to, amount);
    }
}

/// @notice Moves money and returns nothing, as the oldest tokens do.
contract NoReturnToken {
    mapping(address holder => uint256 amount) public balanceOf;
    mapping(address holder => mapping(address spender => uint256 amount)) public allowance;

    function mint(address holder, uint256 amount) external {
        balanceOf[holder] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @notice What a hook-bearing token calls on the account it paid (in the manner of ERC-777).
interface IReceiver {
    function tokensReceived(uint256 amount) external;
}

/// @notice A token that treats each recipient as it was told to: the same contract is the blocklist, the false return, the
/// return bomb, the gas griefer and the hook through which a payee calls back.
contract HostileToken is PlainToken {
    enum Treatment {
        PAYS,
        REVERTS,
        RETURNS_FALSE,
        RETURNS_TWO,
        BOMBS_IN_REVERT,
        BOMBS_IN_RETURN,
        BURNS_ALL_GAS,
        CALLS_RECIPIENT
    }

    uint256 private constant BOMB_BYTES = 500_000;

    mapping(address recipient => Treatment treatment) public treatmentOf;

    error Blocked(address recipient);

    function treat(address recipient, Treatment treatment) external {
        treatmentOf[recipient] = treatment;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        return _treated(to) && super.transfer(to, amount) && _told(to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        return _treated(to) && super.transferFrom(from, to, amount) && _told(to, amount);
    }

    function _treated(address to) private view returns (bool) {
        Treatment treatment = treatmentOf[to];
        if (treatment == Treatment.REVERTS) revert Blocked(to);
        if (treatment == Treatment.RETURNS_FALSE) return false;
        if (treatment == Treatment.RETURNS_TWO) {
            assembly ("memory-safe") {
                mstore(0, 2)
                return(0, 32)
            }
        }
        if (treatment == Treatment.BOMBS_IN_REVERT) {
            assembly ("memory-safe") {
                revert(0, BOMB_BYTES)
            }
        }
        if (treatment == Treatment.BURNS_ALL_GAS) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        return true;
    }

    function _told(address to, uint256 amount) private returns (bool) {
        Treatment treatment = treatmentOf[to];
        if (treatment == Treatment.CALLS_RECIPIENT) IReceiver(to).tokensReceived(amount);
        if (treatment == Treatment.BOMBS_IN_RETURN) {
            assembly ("memory-safe") {
                mstore(0, 1)
                return(0, BOMB_BYTES)
            }
        }
        return true;
    }
}
