// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RoyaltyPool} from "../src/RoyaltyPool.sol";
import {Pools} from "./base/Pools.sol";
import {PlainToken} from "./mocks/HostileTokens.sol";

/// @notice The largest works: whatever may be opened can be opened and paid within one transaction (EIP-7825).
contract RoyaltyPoolGasTest is Pools {
    uint256 private constant CAP = 16_777_216;

    function setUp() public {
        vm.pauseGasMetering();
        build(new PlainToken(), 1);
        vm.resumeGasMetering();
    }

    function test_sixteen_parents_with_sixty_four_ancestors_open_under_decay() public {
        (bytes32 key, bytes memory record) = _largest(RoyaltyPool.Rule.DECAY, false, 99_999_999);
        vm.assertLt(_gasToOpen(key, record), CAP * 9 / 10, "open");
    }

    function test_sixteen_parents_with_sixty_four_ancestors_open_under_lrp() public {
        (bytes32 key, bytes memory record) = _largest(RoyaltyPool.Rule.LRP, true, 0);
        vm.assertLt(_gasToOpen(key, record), CAP * 9 / 10, "open");
    }

    function test_the_largest_work_is_paid_in_one_transaction() public {
        (bytes32 key, bytes memory record) = _largest(RoyaltyPool.Rule.LRP, true, 0);
        pool.open(key, record);
        vm.assertEq(pool.ancestorsOf(key).length, 64, "ancestors");
        mint(address(this), 1e12 + 1);
        _cool();
        vm.resumeGasMetering();
        uint256 before = gasleft();
        pool.pay(key, 1e12 + 1);
        vm.assertLt(before - gasleft(), CAP / 2, "pay");
        vm.assertEq(pool.totalOwed(), 1e12 + 1, "all of it is credited");
    }

    function test_withdrawals_of_all_who_share_in_the_largest_work_fit_too() public {
        vm.pauseGasMetering();
        buildPool(RoyaltyPool.Rule.LAP, true, 0);
        bytes32[] memory ids = new bytes32[](128);
        bytes memory rows;
        for (uint256 i = 0; i < 128; ++i) {
            ids[i] = keccak256(abi.encode("stem", i / 16, i % 16));
            rows = bytes.concat(rows, row(ids[i], accountOf(i), 0));
        }
        vm.prank(registrar);
        payees.registerPayees(rows);
        for (uint256 i = 0; i < 8; ++i) {
            Draft memory d = _dense(i, 16);
            d.parents = i == 7 ? keys(0, 7) : new bytes32[](0);
            openBoth(d);
        }
        mint(address(this), 1e12);
        vm.resumeGasMetering();
        _cool();
        uint256 before = gasleft();
        pool.pay(bytes32(uint256(7)), 1e12);
        vm.assertLt(before - gasleft(), CAP / 2, "pay");
        _cool();
        before = gasleft();
        pool.withdrawMany(ids);
        vm.assertLt(before - gasleft(), CAP / 2, "withdraw");
        vm.assertEq(pool.totalOwed(), 0, "all of it is paid");
    }

    function test_a_work_with_a_sixty_fifth_ancestor_is_not_opened() public {
        vm.pauseGasMetering();
        buildPool(RoyaltyPool.Rule.LAP, false, 0);
        for (uint256 i = 0; i < 65; ++i) {
            openBoth(_dense(i, 1));
        }
        bytes memory record = pack(_dense(65, 1));
        bytes32 key = enterOpen(record);
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.TooManyAncestors.selector, 65));
        pool.open(key, record);
        vm.resumeGasMetering();
    }

    function test_a_work_that_reaches_a_hundred_and_twenty_ninth_stem_is_not_opened() public {
        vm.pauseGasMetering();
        buildPool(RoyaltyPool.Rule.LAP, true, 0);
        for (uint256 i = 0; i < 8; ++i) {
            Draft memory d = _dense(i, 16);
            d.parents = new bytes32[](0);
            openBoth(d);
        }
        Draft memory last = _dense(8, 1);
        last.parents = keys(0, 8);
        bytes32 key = enterOpen(pack(last));
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.TooManyStemsReached.selector, 129));
        pool.open(key, pack(last));
        vm.resumeGasMetering();
    }

    /// @dev Every work names the sixteen before it: as many ancestors, lists, repetitions and stems as the limits allow.
    /// The last one is left to be opened; gas is not metered until then.
    function _largest(RoyaltyPool.Rule rule, bool everyPath, uint256 decay)
        private
        returns (bytes32 key, bytes memory record)
    {
        vm.pauseGasMetering();
        buildPool(rule, everyPath, decay);
        for (uint256 i = 0; i < 64; ++i) {
            openBoth(_dense(i, i < 48 ? 2 : 1));
        }
        record = pack(_dense(64, 16));
        key = enterOpen(record);
    }

    function _gasToOpen(bytes32 key, bytes memory record) private returns (uint256) {
        _cool();
        vm.resumeGasMetering();
        uint256 before = gasleft();
        pool.open(key, record);
        return before - gasleft();
    }

    function _cool() private {
        vm.cool(address(pool));
        vm.cool(address(provenance));
        vm.cool(address(payees));
        vm.cool(address(token));
    }

    function _dense(uint256 i, uint256 numStems) private pure returns (Draft memory d) {
        d = draftBy(i, 1e6, keys(i < 16 ? 0 : i - 16, i));
        (d.stemIds, d.stemBps) = (new bytes32[](numStems), new uint16[](numStems));
        for (uint256 k = 0; k < numStems; ++k) {
            d.stemIds[k] = keccak256(abi.encode("stem", i, k));
            d.stemBps[k] = uint16(10_000 / numStems);
        }
    }
}
