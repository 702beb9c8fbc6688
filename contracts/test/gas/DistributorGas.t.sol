// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SettlementToken} from "../../src/SettlementToken.sol";
import {PushSplitter} from "../PushSplitter.sol";
import {World} from "../base/World.sol";

/// @notice What the common paths cost, transaction by transaction: run with --isolate, each outer call is a transaction of
/// its own with its 21,000 gas, its calldata and its refunds. `npm run gas` writes the figures, `npm run gas:check` compares.
contract DistributorGasTest is World {
    uint256 private constant NUM_PAYEES = 100;
    string private constant GROUP = "distributor";

    SettlementToken private _settled;

    function setUp() public {
        _settled = new SettlementToken("Settled", "SET", address(this));
        build(_settled, NUM_PAYEES);
        // The poster never runs dry, as a balance that falls to zero would earn a refund.
        _settled.mint(poster, 1_000_000_000);
    }

    /// @dev The ring's slots have all been written once after eight epochs; the ninth is the steady state.
    function test_post_and_finalize_cost_at_most_110_000_gas_in_the_steady_state() public {
        for (uint256 i = 1; i <= 8; ++i) {
            _settle(ladder(4, i));
        }
        bytes32 head = provenance.head();
        vm.prank(poster);
        distributor.post(8, keccak256("root"), 90, head, DATA);
        uint256 posted = vm.snapshotGasLastCall(GROUP, "post, steady state");
        vm.warp(block.timestamp + WINDOW);
        distributor.finalize(8);
        uint256 finalized = vm.snapshotGasLastCall(GROUP, "finalize, steady state");
        vm.assertLe(posted + finalized, 110_000, "post + finalize");
    }

    function test_a_repeat_claim_among_neighbours_costs_at_most_22_000_gas_a_payee() public {
        Statement memory s = ladder(NUM_PAYEES, 10);
        _settle(s);
        claimAtOnce(s, range(0, NUM_PAYEES));
        uint256 first = vm.snapshotGasLastCall(GROUP, "claimMulti of 100, first time");
        _settle(ladder(NUM_PAYEES, 20));
        // One payee has not claimed yet: the distributor's balance stays above zero, as it does in use.
        s = ladder(NUM_PAYEES, 30);
        _settle(s);
        claimAtOnce(s, range(0, NUM_PAYEES - 1));
        uint256 repeated = vm.snapshotGasLastCall(GROUP, "claimMulti of 99, repeated");
        vm.assertLt(repeated, first, "a repeat writes over");
        vm.assertLe(repeated / (NUM_PAYEES - 1), 22_000, "per payee");
    }

    function test_single_and_many_claims() public {
        Statement memory s = ladder(NUM_PAYEES, 10);
        _settle(s);
        claim(s, 0);
        vm.snapshotGasLastCall(GROUP, "claim, first time, depth 7");
        distributor.claimMany(claimList(s, range(1, 51)));
        vm.snapshotGasLastCall(GROUP, "claimMany of 50, first time, depth 7");
        Statement memory next = ladder(NUM_PAYEES, 20);
        _settle(next);
        claim(next, 0);
        vm.snapshotGasLastCall(GROUP, "claim, repeated, depth 7");
        distributor.claimMany(claimList(next, range(1, 51)));
        vm.snapshotGasLastCall(GROUP, "claimMany of 50, repeated, depth 7");
    }

    function test_the_other_doors() public {
        Statement memory s = ladder(4, 10);
        _settle(s);
        distributor.giveNotice(s.ids[0], s.amounts[0], proofOf(s, 0));
        vm.snapshotGasLastCall(GROUP, "giveNotice");
        bytes32 head = provenance.head();
        vm.prank(poster);
        distributor.post(1, keccak256("root"), 200, head, DATA);
        vm.prank(guardian);
        distributor.dispute(1);
        vm.snapshotGasLastCall(GROUP, "dispute");
        vm.warp(block.timestamp + NOTICE);
        distributor.expire(s.ids[0]);
        vm.snapshotGasLastCall(GROUP, "expire");
        distributor.windUp();
        vm.snapshotGasLastCall(GROUP, "windUp");
        distributor.claimEscape(s.ids[1], s.amounts[1], proofOf(s, 1));
        vm.snapshotGasLastCall(GROUP, "claimEscape");
    }

    function test_registering_and_rotating() public {
        bytes memory rows = "";
        for (uint256 i = 0; i < 100; ++i) {
            rows = bytes.concat(rows, row(idOf(1_000 + i), accountOf(i), COMMUNITY));
        }
        vm.prank(registrar);
        payees.registerPayees(rows);
        vm.snapshotGasLastCall(GROUP, "registerPayees of 100");
        vm.prank(accountOf(0));
        payees.requestRotation(idOf(0), stranger, block.timestamp, "");
        vm.snapshotGasLastCall(GROUP, "requestRotation");
        vm.warp(block.timestamp + ROTATION_DELAY);
        payees.completeRotation(idOf(0));
        vm.snapshotGasLastCall(GROUP, "completeRotation");
    }

    /// @dev The baseline: what pushing to each payee costs, first time and repeated.
    function test_the_push_splitter_beside_it() public {
        PushSplitter splitter = new PushSplitter(token);
        vm.prank(poster);
        token.approve(address(splitter), type(uint256).max);
        bytes memory rows = "";
        for (uint256 i = 0; i < NUM_PAYEES; ++i) {
            rows = bytes.concat(rows, abi.encodePacked(accountOf(i), uint96(10 * (i + 1))));
        }
        uint256 total = 10 * NUM_PAYEES * (NUM_PAYEES + 1) / 2;
        vm.prank(poster);
        splitter.push(total, rows);
        vm.snapshotGasLastCall("baseline", "push to 100, first time");
        vm.prank(poster);
        splitter.push(total, rows);
        vm.snapshotGasLastCall("baseline", "push to 100, repeated");
        vm.assertEq(token.balanceOf(accountOf(1)), 40, "both times");
        vm.assertEq(token.balanceOf(address(splitter)), 0, "nothing stays");
    }

    function _settle(Statement memory s) private {
        uint256 epoch = nextEpoch();
        bytes32 head = provenance.head();
        vm.prank(poster);
        distributor.post(epoch, s.nodes[0], s.total, head, DATA);
        vm.warp(block.timestamp + WINDOW);
        distributor.finalize(epoch);
    }
}
