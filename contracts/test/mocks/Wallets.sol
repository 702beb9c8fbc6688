// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IReceiver} from "./HostileTokens.sol";

/// @notice A wallet that is a contract: its owner's key signs for it (ERC-1271), unless it was told to answer wrongly.
contract Wallet is IERC1271 {
    enum Answer {
        HONEST,
        WRONG_MAGIC,
        REVERTS,
        TOO_SHORT,
        BOMBS
    }

    uint256 private constant BOMB_BYTES = 500_000;

    address public immutable owner;
    Answer public answer;

    error WalletSaysNo();

    constructor(address owner_) {
        owner = owner_;
    }

    function setAnswer(Answer answer_) external {
        answer = answer_;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        if (answer == Answer.WRONG_MAGIC) return 0xffffffff;
        if (answer == Answer.REVERTS) revert WalletSaysNo();
        if (answer == Answer.TOO_SHORT) {
            assembly ("memory-safe") {
                mstore(0, shl(224, 0x1626ba7e))
                return(0, 4)
            }
        }
        if (answer == Answer.BOMBS) {
            assembly ("memory-safe") {
                revert(0, BOMB_BYTES)
            }
        }
        (address signer, ECDSA.RecoverError fault,) = ECDSA.tryRecover(digest, signature);
        return fault == ECDSA.RecoverError.NoError && signer == owner ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

/// @notice A payee that calls back while it is being paid, and looks at the world as it does.
contract Reenterer is IReceiver {
    address public target;
    bytes public attack;
    bytes public look;
    /// @notice How the attack went and with what answer, last time.
    bool public succeeded;
    bytes public answer;
    /// @notice What the view said in the middle of the payment.
    bytes public seen;
    uint256 public numCalls;

    function set(address target_, bytes calldata attack_, bytes calldata look_) external {
        (target, attack, look) = (target_, attack_, look_);
    }

    function tokensReceived(uint256) external {
        ++numCalls;
        if (look.length > 0) (, seen) = target.staticcall(look);
        if (attack.length > 0) (succeeded, answer) = target.call(attack);
    }
}

/// @notice Sends its ether to an address that never asked for any: no code there can refuse it.
contract ForcedSender {
    constructor(address payable to) payable {
        selfdestruct(to);
    }
}
