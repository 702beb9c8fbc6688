// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {RoyaltyPool} from "../../src/RoyaltyPool.sol";
import {Works} from "./Works.sol";

/// @title A royalty pool, works that can be paid through it, and what they are paid
abstract contract Pools is Works {
    uint256 internal constant WHOLE = 1e8;

    RoyaltyPool internal pool;

    function buildPool(RoyaltyPool.Rule rule, bool everyPath, uint256 decay) internal {
        pool = new RoyaltyPool(token, payees, provenance, rule, everyPath, decay);
        // Tokens that return nothing would fail an IERC20 call's own check.
        (bool done,) = address(token).call(abi.encodeCall(IERC20.approve, (address(pool), type(uint256).max)));
        vm.assertTrue(done, "approve");
    }

    /// @notice A work whose only stem is payee `who`.
    function draftBy(uint256 who, uint32 share, bytes32[] memory parents) internal pure returns (Draft memory d) {
        d = draft("work");
        d.content = keccak256(abi.encode("work", who, share));
        d.share = share;
        d.parents = parents;
        d.stemIds[0] = idOf(who);
    }

    /// @notice Enter a work by a batch of its own and open it in registry and pool.
    function openBoth(Draft memory d) internal returns (bytes32 key) {
        bytes memory record = pack(d);
        key = enterOpen(record);
        pool.open(key, record);
    }

    function pay(bytes32 key, uint256 amount) internal {
        mint(address(this), amount);
        pool.pay(key, amount);
    }

    function two(bytes32 a, bytes32 b) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](2);
        (list[0], list[1]) = (a, b);
    }

    /// @notice Weight of an ancestor as the pool has it; 0 where it is none.
    function weightOf(bytes32 key, bytes32 ancestor) internal view returns (uint256 weight) {
        RoyaltyPool.Share[] memory shares = pool.ancestorsOf(key);
        for (uint256 i = 0; i < shares.length; ++i) {
            if (shares[i].key == ancestor) weight += shares[i].weight;
        }
    }
}
