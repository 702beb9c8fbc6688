// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC2981} from "@openzeppelin/contracts/interfaces/IERC2981.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {RoyaltyPool} from "../src/RoyaltyPool.sol";
import {Pools} from "./base/Pools.sol";
import {Tree} from "./base/Tree.sol";
import {PlainToken} from "./mocks/HostileTokens.sol";
import {ForcedSender} from "./mocks/Wallets.sol";

/// @notice Every unit paid is credited once, by largest remainder, and arrives where the payee is registered.
contract RoyaltyPoolPaymentsTest is Pools {
    function setUp() public {
        build(new PlainToken(), 8);
        buildPool(RoyaltyPool.Rule.LAP, true, 0);
    }

    // ---- what can be made and opened -------------------------------------------------------------------------------

    function test_a_pool_has_a_decay_only_under_decay_and_never_above_the_whole() public {
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.WrongDecay.selector, 1));
        new RoyaltyPool(token, payees, provenance, RoyaltyPool.Rule.LAP, true, 1);
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.WrongDecay.selector, 1));
        new RoyaltyPool(token, payees, provenance, RoyaltyPool.Rule.LRP, true, 1);
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.WrongDecay.selector, 1e8 + 1));
        new RoyaltyPool(token, payees, provenance, RoyaltyPool.Rule.DECAY, true, 1e8 + 1);
        vm.expectRevert(RoyaltyPool.OneWayOnly.selector);
        new RoyaltyPool(token, payees, provenance, RoyaltyPool.Rule.LRP, false, 0);
    }

    function test_a_work_is_opened_once_with_the_record_that_is_registered() public {
        Draft memory d = draftBy(1, 0, new bytes32[](0));
        bytes memory record = pack(d);
        bytes32 key = bytes32(enter(one(record)));
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.WrongRecord.selector, key, 0));
        pool.open(key, record);
        provenance.open(uint256(key), uint256(key), record, new bytes32[](0));
        d.stemIds[0] = idOf(7);
        bytes memory forged = pack(d);
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.WrongRecord.selector, key, keccak256(record)));
        pool.open(key, forged);
        vm.prank(stranger);
        pool.open(key, record);
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.AlreadyOpen.selector, key));
        pool.open(key, record);
    }

    function test_parents_are_opened_before_their_children_and_none_is_left_out() public {
        bytes memory parent = pack(draftBy(0, 1e7, new bytes32[](0)));
        bytes32 parentKey = enterOpen(parent);
        Draft memory d = draftBy(1, 0, one(parentKey));
        bytes32 key = enterOpen(pack(d));
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.NotOpen.selector, parentKey));
        pool.open(key, pack(d));
        bytes32 recordHash = keccak256(pack(d));
        Draft memory without = draftBy(1, 0, new bytes32[](0));
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.WrongRecord.selector, key, recordHash));
        pool.open(key, pack(without));
        pool.open(parentKey, parent);
        pool.open(key, pack(d));
        vm.assertEq(weightOf(key, parentKey), 1e7, "the parent is due its share");
    }

    // ---- shares ----------------------------------------------------------------------------------------------------

    /// @dev The parts are worked out apart: sort by remainder, ties by index, and hand out what is left.
    function testFuzz_parts_are_those_of_largest_remainder(uint256 amount, uint32[4] memory shares) public {
        amount = between(amount, 1, type(uint128).max);
        uint256[] memory weights = new uint256[](5);
        weights[4] = WHOLE;
        for (uint256 i = 0; i < 4; ++i) {
            weights[i] = between(shares[i], 1, WHOLE / 4);
            openBoth(draftBy(i, uint32(weights[i]), new bytes32[](0)));
            weights[4] -= weights[i];
        }
        bytes32 key = openBoth(draftBy(4, 0, keys(0, 4)));
        (bytes32[] memory who, uint256[] memory amounts) = pool.preview(key, amount);
        vm.assertEq(amounts, _largestRemainder(amount, weights, WHOLE), "parts");
        pay(key, amount);
        uint256 sum = 0;
        for (uint256 i = 0; i < 5; ++i) {
            vm.assertEq(who[i], bytes32(i), "ancestors in order, the work itself last");
            vm.assertEq(pool.balanceOf(idOf(i)), amounts[i], "credited as previewed");
            sum += amounts[i];
        }
        vm.assertEq(sum, amount, "to the unit");
        vm.assertEq(pool.totalOwed(), amount, "owed");
        vm.assertEq(token.balanceOf(address(pool)), amount, "held");
    }

    function testFuzz_stems_share_by_largest_remainder_too(uint128 amount, uint16[5] memory bps) public {
        amount = uint128(between(amount, 1, type(uint128).max));
        Draft memory d = draft("five stems");
        (d.stemIds, d.stemBps) = (new bytes32[](6), new uint16[](6));
        uint256[] memory weights = new uint256[](6);
        weights[5] = 10_000;
        for (uint256 i = 0; i < 6; ++i) {
            if (i < 5) weights[i] = between(bps[i], 0, 2_000);
            if (i < 5) weights[5] -= weights[i];
            (d.stemIds[i], d.stemBps[i]) = (idOf(i), uint16(weights[i]));
        }
        pay(openBoth(d), amount);
        uint256[] memory parts = _largestRemainder(amount, weights, 10_000);
        for (uint256 i = 0; i < 6; ++i) {
            vm.assertEq(pool.balanceOf(idOf(i)), parts[i], "stem");
        }
    }

    function test_ties_go_to_the_lower_index_and_nobody_with_nothing_gets_dust() public {
        Draft memory d = draft("stems");
        (d.stemIds, d.stemBps) = (new bytes32[](4), new uint16[](4));
        (d.stemBps[0], d.stemBps[1], d.stemBps[2], d.stemBps[3]) = (0, 3_334, 3_333, 3_333);
        for (uint256 i = 0; i < 4; ++i) {
            d.stemIds[i] = idOf(i);
        }
        bytes32 key = openBoth(d);
        pay(key, 1);
        vm.assertEq(pool.balanceOf(idOf(1)), 1, "the largest remainder");
        pay(key, 2);
        vm.assertEq(pool.balanceOf(idOf(1)), 2, "first of two units");
        vm.assertEq(pool.balanceOf(idOf(2)), 1, "second: a tie, the lower index");
        vm.assertEq(pool.balanceOf(idOf(3)), 0, "the higher index waits");
        vm.assertEq(pool.balanceOf(idOf(0)), 0, "no share, no dust");
    }

    function test_a_payee_in_several_stems_gets_the_sum() public {
        bytes32 parent = openBoth(draftBy(0, 5e7, new bytes32[](0)));
        pay(openBoth(draftBy(0, 0, one(parent))), 101);
        vm.assertEq(pool.balanceOf(idOf(0)), 101, "sum");
    }

    function testFuzz_amounts_near_the_end_of_256_bits_pay_exactly_or_not_at_all(uint256 amount) public {
        bytes32 parent = openBoth(draftBy(0, 3e7, new bytes32[](0)));
        bytes32 key = openBoth(draftBy(1, 0, one(parent)));
        amount = between(amount, 1, type(uint256).max);
        mint(address(this), amount);
        (bool paid,) = address(pool).call(abi.encodeCall(RoyaltyPool.pay, (key, amount)));
        vm.assertEq(paid, amount <= type(uint256).max / 7e7, "as far as the product fits");
        vm.assertEq(pool.balanceOf(idOf(0)) + pool.balanceOf(idOf(1)), paid ? amount : 0, "credited");
        vm.assertEq(token.balanceOf(address(pool)), paid ? amount : 0, "held");
    }

    // ---- ways to pay -----------------------------------------------------------------------------------------------

    function test_nothing_and_works_that_are_not_open_are_not_paid() public {
        bytes32 key = openBoth(draftBy(0, 0, new bytes32[](0)));
        mint(address(this), 10);
        vm.expectRevert(RoyaltyPool.NothingPaid.selector);
        pool.pay(key, 0);
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.NotOpen.selector, ALL_WORKS));
        pool.pay(ALL_WORKS, 10);
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.NotOpen.selector, ALL_WORKS));
        pool.preview(ALL_WORKS, 10);
        vm.assertEq(token.balanceOf(address(this)), 10, "the payer keeps the money");
    }

    function test_many_works_at_once_are_paid_as_one_by_one() public {
        bytes32 parent = openBoth(draftBy(0, 333_333, new bytes32[](0)));
        bytes32 child = openBoth(draftBy(1, 0, one(parent)));
        bytes32[] memory list = new bytes32[](3);
        (list[0], list[1], list[2]) = (child, parent, child);
        uint256[] memory amounts = new uint256[](3);
        (amounts[0], amounts[1], amounts[2]) = (1001, 7, 0);
        mint(address(this), 1008);
        uint256 state = vm.snapshotState();
        pool.pay(child, 1001);
        pool.pay(parent, 7);
        uint256 expected = pool.balanceOf(idOf(0));
        vm.revertToState(state);
        pool.payMany(list, amounts);
        vm.assertEq(pool.balanceOf(idOf(0)), expected, "parent");
        vm.assertEq(pool.balanceOf(idOf(1)), 1008 - expected, "child");
        vm.expectRevert(RoyaltyPool.WrongLengths.selector);
        pool.payMany(list, new uint256[](2));
        vm.expectRevert(RoyaltyPool.NothingPaid.selector);
        pool.payMany(list, new uint256[](3));
    }

    function test_sums_that_overflow_are_not_paid() public {
        bytes32 key = openBoth(draftBy(0, 0, new bytes32[](0)));
        uint256[] memory amounts = new uint256[](2);
        (amounts[0], amounts[1]) = (type(uint256).max, 2);
        mint(address(this), 1);
        vm.expectRevert();
        pool.payMany(two(key, key), amounts);
    }

    function test_a_work_whose_source_nobody_shares_in_refuses_the_payment_whole() public {
        Draft memory orphan = draftBy(0, 5e7, new bytes32[](0));
        (orphan.stemIds, orphan.stemBps) = (new bytes32[](0), new uint16[](0));
        bytes32 source = openBoth(orphan);
        bytes32 key = openBoth(draftBy(1, 0, one(source)));
        mint(address(this), 100);
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.NobodyShares.selector, source));
        pool.pay(key, 100);
        vm.assertEq(token.balanceOf(address(this)), 100, "the payer keeps the money");
    }

    // ---- by proof of the record ------------------------------------------------------------------------------------

    function testFuzz_works_of_a_batch_are_paid_by_proof(uint96[4] memory amounts) public {
        bytes[] memory records = new bytes[](4);
        for (uint256 i = 0; i < 4; ++i) {
            records[i] = pack(draftBy(i, 0, new bytes32[](0)));
        }
        uint256 first = enter(records);
        RoyaltyPool.RecordedPayment[] memory list = new RoyaltyPool.RecordedPayment[](4);
        uint256 sum = 0;
        for (uint256 i = 0; i < 4; ++i) {
            uint256 amount = between(amounts[i], i == 0 ? 1 : 0, type(uint96).max);
            list[i] = _recorded(records, first, i, amount);
            sum += amount;
        }
        mint(address(this), sum);
        pool.payRecorded(list);
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(pool.balanceOf(idOf(i)), list[i].amount, "credited");
        }
        vm.assertEq(pool.totalOwed(), sum, "owed");
    }

    function test_a_forged_record_number_or_proof_is_not_paid() public {
        bytes[] memory records = new bytes[](2);
        records[0] = pack(draftBy(0, 0, new bytes32[](0)));
        records[1] = pack(draftBy(1, 0, new bytes32[](0)));
        uint256 first = enter(records);
        mint(address(this), 100);
        RoyaltyPool.RecordedPayment[] memory list = new RoyaltyPool.RecordedPayment[](2);
        list[0] = _recorded(records, first, 0, 10);
        list[1] = _recorded(records, first, 1, 10);
        list[1].record = pack(draftBy(7, 0, new bytes32[](0)));
        vm.expectPartialRevert(RoyaltyPool.WrongRecord.selector);
        pool.payRecorded(list);
        list[1] = _recorded(records, first, 1, 10);
        list[1].number = 0;
        vm.expectPartialRevert(RoyaltyPool.WrongRecord.selector);
        pool.payRecorded(list);
        list[1] = _recorded(records, first, 1, 10);
        list[1].proof = new bytes32[](0);
        vm.expectPartialRevert(RoyaltyPool.WrongRecord.selector);
        pool.payRecorded(list);
        vm.assertEq(pool.totalOwed(), 0, "nothing was credited");
        vm.assertEq(token.balanceOf(address(this)), 100, "nothing was taken");
    }

    function test_a_work_with_sources_is_not_paid_past_them() public {
        bytes32 parent = openBoth(draftBy(0, 5e7, new bytes32[](0)));
        bytes[] memory records = one(pack(draftBy(1, 0, one(parent))));
        uint256 first = enter(records);
        mint(address(this), 10);
        RoyaltyPool.RecordedPayment[] memory list = new RoyaltyPool.RecordedPayment[](1);
        list[0] = _recorded(records, first, 0, 10);
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.NotOpen.selector, bytes32(first)));
        pool.payRecorded(list);
    }

    function test_a_recorded_work_in_which_nobody_shares_is_not_paid() public {
        Draft memory orphan = draftBy(0, 0, new bytes32[](0));
        (orphan.stemIds, orphan.stemBps) = (new bytes32[](0), new uint16[](0));
        bytes[] memory records = one(pack(orphan));
        uint256 first = enter(records);
        mint(address(this), 10);
        RoyaltyPool.RecordedPayment[] memory list = new RoyaltyPool.RecordedPayment[](1);
        list[0] = _recorded(records, first, 0, 10);
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.NobodyShares.selector, bytes32(first)));
        pool.payRecorded(list);
    }

    // ---- withdrawals -----------------------------------------------------------------------------------------------

    function test_anybody_withdraws_to_the_registered_account_once() public {
        pay(openBoth(draftBy(0, 0, new bytes32[](0))), 10);
        vm.prank(stranger);
        pool.withdraw(idOf(0));
        vm.assertEq(token.balanceOf(accountOf(0)), 10, "paid");
        vm.assertEq(pool.totalOwed(), 0, "owed");
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.NothingDue.selector, idOf(0)));
        pool.withdraw(idOf(0));
    }

    function test_several_balances_are_read_in_the_order_asked_for() public {
        pay(openBoth(draftBy(3, 0, new bytes32[](0))), 10);
        uint256[] memory amounts = pool.balancesOf(two(idOf(0), idOf(3)));
        vm.assertEq(amounts[0], 0, "nothing due");
        vm.assertEq(amounts[1], 10, "due");
    }

    function test_money_of_a_payee_who_is_not_entered_yet_waits() public {
        bytes32 late = idOf(90);
        pay(openBoth(draftBy(90, 0, new bytes32[](0))), 10);
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.UnknownPayee.selector, late));
        pool.withdraw(late);
        pool.withdrawMany(two(late, idOf(1)));
        vm.assertEq(pool.balanceOf(late), 10, "passed over, nothing lost");
        vm.prank(registrar);
        payees.registerPayees(row(late, accountOf(90), 0));
        bytes32[] memory twice = two(late, late);
        pool.withdrawMany(twice);
        vm.assertEq(token.balanceOf(accountOf(90)), 10, "paid once");
    }

    function test_donations_and_forced_ether_change_no_balance() public {
        bytes32 key = openBoth(draftBy(0, 0, new bytes32[](0)));
        mint(address(pool), 77);
        vm.deal(address(this), 1 ether);
        new ForcedSender{value: 1 ether}(payable(address(pool)));
        pay(key, 10);
        vm.assertEq(pool.balanceOf(idOf(0)), 10, "credited");
        vm.assertEq(pool.totalOwed(), 10, "owed");
        pool.withdraw(idOf(0));
        vm.assertEq(token.balanceOf(accountOf(0)), 10, "paid");
        vm.assertEq(token.balanceOf(address(pool)), 77, "the donation lies there");
    }

    // ---- ERC-2981, ERC-165 -----------------------------------------------------------------------------------------

    function testFuzz_a_marketplace_is_told_the_first_stem_and_the_works_share(uint32 share, uint128 price) public {
        share = uint32(between(share, 0, WHOLE));
        bytes32 key = openBoth(draftBy(3, share, new bytes32[](0)));
        (address receiver, uint256 amount) = pool.royaltyInfo(uint256(key), price);
        vm.assertEq(receiver, accountOf(3), "receiver");
        vm.assertEq(amount, uint256(price) * share / 1e8, "rounded down");
        vm.assertLe(amount, price, "never above the price");
        (receiver, amount) = pool.royaltyInfo(uint256(key) + 1, price);
        vm.assertEq(receiver, address(0), "unknown work");
        vm.assertEq(amount, 0, "unknown work");
    }

    function test_the_interfaces_are_named() public view {
        vm.assertTrue(pool.supportsInterface(type(IERC2981).interfaceId), "ERC-2981");
        vm.assertTrue(pool.supportsInterface(0x2a55205a), "ERC-2981 by number");
        vm.assertTrue(pool.supportsInterface(type(IERC165).interfaceId), "ERC-165");
        vm.assertFalse(pool.supportsInterface(0xffffffff), "none");
    }

    function test_stems_are_read_back() public {
        bytes32 key = openBoth(draftBy(3, 0, new bytes32[](0)));
        RoyaltyPool.Stem[] memory stems = pool.stemsOf(key);
        vm.assertEq(stems.length, 1, "one");
        vm.assertEq(stems[0].payeeId, idOf(3), "payee");
        vm.assertEq(stems[0].bps, 10_000, "share");
    }

    function _recorded(bytes[] memory records, uint256 first, uint256 i, uint256 amount)
        private
        pure
        returns (RoyaltyPool.RecordedPayment memory)
    {
        bytes32[] memory proof = Tree.proofOf(nodesOf(first, records), i);
        return RoyaltyPool.RecordedPayment(first + i, first, amount, records[i], proof);
    }

    /// @dev Hamilton's method by ranks: part i gets one more where fewer than `left` others come before it.
    function _largestRemainder(uint256 amount, uint256[] memory weights, uint256 basis)
        private
        pure
        returns (uint256[] memory parts)
    {
        uint256 n = weights.length;
        parts = new uint256[](n);
        uint256 left = amount;
        for (uint256 i = 0; i < n; ++i) {
            parts[i] = amount * weights[i] / basis;
            left -= parts[i];
        }
        for (uint256 i = 0; i < n; ++i) {
            uint256 before = 0;
            for (uint256 k = 0; k < n; ++k) {
                (uint256 a, uint256 b) = (amount * weights[k] % basis, amount * weights[i] % basis);
                if (a > b || (a == b && k < i)) ++before;
            }
            if (before < left) ++parts[i];
        }
    }
}
