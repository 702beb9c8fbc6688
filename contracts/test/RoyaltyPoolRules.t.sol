// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RoyaltyPool} from "../src/RoyaltyPool.sol";
import {Pools} from "./base/Pools.sol";
import {PlainToken} from "./mocks/HostileTokens.sol";

/// @notice What each rule gives to whom: examples worked out by hand, and random graphs against going along every path.
contract RoyaltyPoolRulesTest is Pools {
    uint256 private constant MAX_WORKS = 7;

    /// @dev Parents and shares of up to `MAX_WORKS` works; work i names only works before it.
    struct Graph {
        uint256 n;
        uint256[] shares;
        uint256[][] parents;
        bytes32[] keyOf;
    }

    function setUp() public {
        build(new PlainToken(), 9);
    }

    // ---- examples --------------------------------------------------------------------------------------------------

    /// @dev The grandparent asks 5 %, the parent 10 %: royalty-rules' own example.
    function test_lrp_multiplies_along_a_chain() public {
        bytes32 child = _chain(RoyaltyPool.Rule.LRP, 0);
        pay(child, 1_000_000);
        vm.assertEq(pool.balanceOf(idOf(2)), 900_000, "the child pays ten parts in a hundred");
        vm.assertEq(pool.balanceOf(idOf(1)), 95_000, "the parent passes five in a hundred of that on");
        vm.assertEq(pool.balanceOf(idOf(0)), 5_000, "half a part in a hundred for the grandparent");
    }

    function test_lap_is_due_from_every_descendant() public {
        bytes32 child = _chain(RoyaltyPool.Rule.LAP, 0);
        pay(child, 1_000_000);
        vm.assertEq(pool.balanceOf(idOf(2)), 850_000, "child");
        vm.assertEq(pool.balanceOf(idOf(1)), 100_000, "parent");
        vm.assertEq(pool.balanceOf(idOf(0)), 50_000, "grandparent");
    }

    function test_decay_halves_with_each_further_generation() public {
        bytes32 child = _chain(RoyaltyPool.Rule.DECAY, 5e7);
        pay(child, 1_000_000);
        vm.assertEq(pool.balanceOf(idOf(2)), 875_000, "child");
        vm.assertEq(pool.balanceOf(idOf(1)), 100_000, "parent");
        vm.assertEq(pool.balanceOf(idOf(0)), 25_000, "grandparent");
    }

    function test_decay_of_nothing_leaves_the_parents_alone() public {
        bytes32 child = _chain(RoyaltyPool.Rule.DECAY, 0);
        vm.assertEq(pool.ancestorsOf(child).length, 1, "parents only");
    }

    function test_a_diamonds_ancestor_counts_for_every_path_or_once() public {
        bytes32 bottom = _diamond(RoyaltyPool.Rule.LAP, true, 0);
        vm.assertEq(weightOf(bottom, 0), 1e7, "twice five in a hundred");
        bottom = _diamond(RoyaltyPool.Rule.LAP, false, 0);
        vm.assertEq(weightOf(bottom, 0), 5e6, "once");
        bottom = _diamond(RoyaltyPool.Rule.LRP, true, 0);
        vm.assertEq(weightOf(bottom, 0), 1.5e6, "5 % of 10 % and 5 % of 20 %");
    }

    function test_once_means_the_nearest_of_several_paths_under_decay() public {
        buildPool(RoyaltyPool.Rule.DECAY, false, 5e7);
        bytes32 top = openBoth(draftBy(0, 1e7, new bytes32[](0)));
        bytes32 middle = openBoth(draftBy(1, 1e7, one(top)));
        bytes32 bottom = openBoth(draftBy(2, 0, two(top, middle)));
        vm.assertEq(weightOf(bottom, top), 1e7, "as a parent, not as a grandparent");
        buildPool(RoyaltyPool.Rule.DECAY, true, 5e7);
        bottom = _open(bottom, draftBy(0, 1e7, new bytes32[](0)), draftBy(1, 1e7, one(top)), two(top, middle));
        vm.assertEq(weightOf(bottom, top), 1.5e7, "as both");
    }

    function test_the_nearest_path_counts_also_where_the_records_lead_to_a_longer_one_first() public {
        buildPool(RoyaltyPool.Rule.DECAY, false, 5e7);
        // A single work's key is above every number, so the grandchild's record names it after its child.
        Draft memory single = draftBy(0, 1e7, new bytes32[](0));
        bytes32 top = register(accountOf(0), pack(single));
        pool.open(top, pack(single));
        bytes32 middle = openBoth(draftBy(1, 1e7, one(top)));
        bytes32 bottom = openBoth(draftBy(2, 0, two(middle, top)));
        vm.assertEq(weightOf(bottom, top), 1e7, "as a parent, not as a grandparent");
    }

    function test_ancestors_stand_in_the_order_in_which_the_records_lead_to_them() public {
        bytes32 bottom = _diamond(RoyaltyPool.Rule.LAP, true, 0);
        RoyaltyPool.Share[] memory shares = pool.ancestorsOf(bottom);
        vm.assertEq(shares.length, 3, "ancestors");
        vm.assertEq(shares[0].key, bytes32(uint256(1)), "left parent");
        vm.assertEq(shares[1].key, bytes32(uint256(0)), "what it leads to");
        vm.assertEq(shares[2].key, bytes32(uint256(2)), "right parent");
    }

    function test_a_work_that_asks_nothing_is_no_ancestor_but_its_own_sources_are() public {
        buildPool(RoyaltyPool.Rule.LAP, true, 0);
        bytes32 top = openBoth(draftBy(0, 5e6, new bytes32[](0)));
        bytes32 middle = openBoth(draftBy(1, 0, one(top)));
        bytes32 bottom = openBoth(draftBy(2, 0, one(middle)));
        RoyaltyPool.Share[] memory shares = pool.ancestorsOf(bottom);
        vm.assertEq(shares.length, 1, "one ancestor");
        vm.assertEq(shares[0].key, top, "the one that asks");
    }

    // ---- the stack -------------------------------------------------------------------------------------------------

    function test_a_stack_of_the_whole_opens_and_one_part_more_does_not() public {
        buildPool(RoyaltyPool.Rule.LAP, true, 0);
        bytes32 a = openBoth(draftBy(0, 6e7, new bytes32[](0)));
        bytes32 b = openBoth(draftBy(1, 4e7, new bytes32[](0)));
        bytes32 c = openBoth(draftBy(2, 4e7 + 1, new bytes32[](0)));
        bytes32 full = openBoth(draftBy(3, 0, two(a, b)));
        pay(full, 100);
        vm.assertEq(pool.balanceOf(idOf(3)), 0, "nothing is left for the work itself");
        bytes memory record = pack(draftBy(4, 0, two(a, c)));
        bytes32 key = enterOpen(record);
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.StackAboveWhole.selector, 1e8 + 1));
        pool.open(key, record);
        vm.assertFalse(pool.isOpen(key), "not open");
    }

    function testFuzz_the_stack_bounds_the_depth_under_lap(uint32 share) public {
        share = uint32(between(share, 1.4e7, 1e8));
        buildPool(RoyaltyPool.Rule.LAP, true, 0);
        bytes32 above = openBoth(draftBy(0, share, new bytes32[](0)));
        for (uint256 depth = 1; depth < 9; ++depth) {
            bytes memory record = pack(draftBy(depth, share, one(above)));
            bytes32 key = enterOpen(record);
            bool fits = depth * share <= WHOLE;
            if (!fits) vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.StackAboveWhole.selector, depth * share));
            pool.open(key, record);
            if (!fits) return;
            above = key;
        }
    }

    // ---- random graphs against every path --------------------------------------------------------------------------

    function testFuzz_lap_is_what_every_path_says(uint256 seed, bool everyPath) public {
        buildPool(RoyaltyPool.Rule.LAP, everyPath, 0);
        _check(_graph(seed, 6e6));
    }

    function testFuzz_decay_is_what_every_path_says(uint256 seed, bool everyPath, uint32 decay) public {
        buildPool(RoyaltyPool.Rule.DECAY, everyPath, between(decay, 0, WHOLE));
        _check(_graph(seed, 2e7));
    }

    function testFuzz_lrp_is_what_every_path_says(uint256 seed) public {
        buildPool(RoyaltyPool.Rule.LRP, true, 0);
        _check(_graph(seed, 4e7));
    }

    /// @dev Opens a random graph work by work; every stack and every weight is compared, and a payment to the last work.
    function _check(Graph memory g) private {
        bytes32 last;
        for (uint256 i = 0; i < g.n; ++i) {
            bytes memory record = pack(draftBy(i, uint32(g.shares[i]), _keysOf(g, g.parents[i])));
            g.keyOf[i] = enterOpen(record);
            (bool opened, bytes memory answer) =
                address(pool).call(abi.encodeCall(RoyaltyPool.open, (g.keyOf[i], record)));
            (uint256 stack, uint256 paths) = _stack(g, i);
            if (!opened) {
                vm.assertEq(bytes4(answer), RoyaltyPool.StackAboveWhole.selector, "why it was refused");
                vm.assertGt(stack, WHOLE, "it is above the whole");
                g.n = i;
                break;
            }
            vm.assertLe(stack, WHOLE + paths, "it is not above the whole");
            last = g.keyOf[i];
        }
        pay(last, 1e9 + 7);
        vm.assertEq(pool.totalOwed(), 1e9 + 7, "all of it is credited");
    }

    /// @dev Compares each ancestor's weight; returns the exact stack, rounded up, and the number of paths.
    function _stack(Graph memory g, uint256 i) private view returns (uint256 stack, uint256 paths) {
        for (uint256 a = 0; a < i; ++a) {
            (uint256 exact, uint256 count) = _along(g, i, a, 0, WHOLE);
            stack += (exact + 1e64 - 1) / 1e64;
            paths += count;
            if (!pool.isOpen(g.keyOf[i])) continue;
            // Each path may lose less than one part of 10^8 in each generation, and gain as much by largest remainder.
            uint256 slack = pool.rule() == RoyaltyPool.Rule.LAP ? 0 : count * MAX_WORKS * 1e64;
            uint256 weight = weightOf(g.keyOf[i], g.keyOf[a]) * 1e64;
            vm.assertLe(weight, exact + slack, "weight is not more than the paths'");
            vm.assertGe(weight + slack, exact, "weight is not less than the paths'");
        }
    }

    /// @dev Weight of `a` for `from`, in parts of 10^72, summed over (or the largest of) all paths; `carried` is what
    /// arrives at `from` in parts of 10^8, `depth` how many generations were passed.
    function _along(Graph memory g, uint256 from, uint256 a, uint256 depth, uint256 carried)
        private
        view
        returns (uint256 weight, uint256 count)
    {
        RoyaltyPool.Rule rule = pool.rule();
        for (uint256 k = 0; k < g.parents[from].length; ++k) {
            uint256 p = g.parents[from][k];
            // `carried` holds 8 more digits for each generation.
            uint256 factor = rule == RoyaltyPool.Rule.LRP ? g.shares[p] : depth == 0 ? WHOLE : pool.decay();
            if (rule == RoyaltyPool.Rule.LAP) factor = WHOLE;
            uint256 arrives = carried * factor;
            if (p == a) {
                uint256 own = rule == RoyaltyPool.Rule.LRP ? _kept(g, a) : g.shares[a];
                weight = _join(weight, arrives * own * 10 ** (8 * (MAX_WORKS - 1 - depth)));
                ++count;
            } else {
                (uint256 further, uint256 more) = _along(g, p, a, depth + 1, arrives);
                weight = _join(weight, further);
                count += more;
            }
        }
    }

    function _join(uint256 a, uint256 b) private view returns (uint256) {
        return pool.everyPath() ? a + b : a > b ? a : b;
    }

    /// @dev What an ancestor keeps of what it is due under LRP: its parents' shares are passed on.
    function _kept(Graph memory g, uint256 a) private pure returns (uint256 kept) {
        kept = WHOLE;
        for (uint256 k = 0; k < g.parents[a].length; ++k) {
            kept -= g.shares[g.parents[a][k]];
        }
    }

    function _graph(uint256 seed, uint256 maxShare) private pure returns (Graph memory g) {
        g.n = 2 + seed % (MAX_WORKS - 1);
        (g.shares, g.parents, g.keyOf) = (new uint256[](g.n), new uint256[][](g.n), new bytes32[](g.n));
        for (uint256 i = 0; i < g.n; ++i) {
            uint256 noise = uint256(keccak256(abi.encode(seed, i)));
            g.shares[i] = noise % 4 == 0 ? 0 : (noise >> 8) % (maxShare + 1);
            uint256 count = 0;
            uint256[] memory named = new uint256[](i);
            for (uint256 p = 0; p < i; ++p) {
                if ((noise >> (100 + p)) & 1 == 1) named[count++] = p;
            }
            g.parents[i] = new uint256[](count);
            for (uint256 k = 0; k < count; ++k) {
                g.parents[i][k] = named[k];
            }
        }
    }

    function _keysOf(Graph memory g, uint256[] memory works) private pure returns (bytes32[] memory list) {
        list = new bytes32[](works.length);
        for (uint256 k = 0; k < works.length; ++k) {
            list[k] = g.keyOf[works[k]];
        }
    }

    // ---- small families --------------------------------------------------------------------------------------------

    function _chain(RoyaltyPool.Rule rule, uint256 decay) private returns (bytes32 child) {
        buildPool(rule, true, decay);
        bytes32 grandparent = openBoth(draftBy(0, 5e6, new bytes32[](0)));
        bytes32 parent = openBoth(draftBy(1, 1e7, one(grandparent)));
        return openBoth(draftBy(2, 0, one(parent)));
    }

    /// @dev 0 (5 %) is the source of 1 (10 %) and 2 (20 %), and both of 3; entered once, opened in each new pool.
    function _diamond(RoyaltyPool.Rule rule, bool everyPath, uint256 decay) private returns (bytes32 bottom) {
        buildPool(rule, everyPath, decay);
        Draft[4] memory all = [
            draftBy(0, 5e6, new bytes32[](0)),
            draftBy(1, 1e7, one(bytes32(0))),
            draftBy(2, 2e7, one(bytes32(0))),
            draftBy(3, 0, keys(1, 3))
        ];
        for (uint256 i = 0; i < 4; ++i) {
            if (provenance.numWorks() == i) enterOpen(pack(all[i]));
            pool.open(bytes32(i), pack(all[i]));
        }
        return bytes32(uint256(3));
    }

    function _open(bytes32 bottom, Draft memory first, Draft memory second, bytes32[] memory parents)
        private
        returns (bytes32)
    {
        pool.open(parents[0], pack(first));
        pool.open(parents[1], pack(second));
        pool.open(bottom, pack(draftBy(2, 0, parents)));
        return bottom;
    }
}
