// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title The baseline: one transfer to every payee, every epoch
/// @notice What a splitter without roots does at its best: rows packed into 32 bytes, nothing stored, one pull. Its cost
/// grows with the number of payees, and one payee who cannot be paid stops all. It is measured beside the distributor
/// (`heritage bench ledger`) and used for nothing else.
contract PushSplitter {
    using SafeERC20 for IERC20;

    uint256 private constant ROW_BYTES = 32;
    uint256 private constant ACCOUNT_BYTES = 20;

    IERC20 public immutable token;

    event Pushed(uint256 numPayees, uint256 total);

    error WrongLength(uint256 bytesGiven);
    error WrongTotal(uint256 expected, uint256 given);

    /// @param token_ What is paid.
    constructor(IERC20 token_) {
        token = token_;
    }

    /// @notice Pay everybody named, out of the caller's allowance.
    /// @param total Sum of all rows.
    /// @param rows Rows of account (20 bytes) and amount (12 bytes, big-endian).
    function push(uint256 total, bytes calldata rows) external {
        if (rows.length % ROW_BYTES != 0) revert WrongLength(rows.length);
        token.safeTransferFrom(msg.sender, address(this), total);
        uint256 paid = 0;
        for (uint256 offset = 0; offset < rows.length; offset += ROW_BYTES) {
            address account = address(bytes20(rows[offset:offset + ACCOUNT_BYTES]));
            uint256 amount = uint96(bytes12(rows[offset + ACCOUNT_BYTES:offset + ROW_BYTES]));
            paid += amount;
            token.safeTransfer(account, amount);
        }
        if (paid != total) revert WrongTotal(total, paid);
        emit Pushed(rows.length / ROW_BYTES, total);
    }
}
