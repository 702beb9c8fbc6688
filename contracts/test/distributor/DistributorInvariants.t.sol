// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EpochDistributor} from "../../src/EpochDistributor.sol";
import {Test} from "../base/Test.sol";
import {World} from "../base/World.sol";
import {DistributorHandler} from "./DistributorHandler.sol";

/// @notice What holds of a distributor after whatever happened to it.
contract DistributorInvariantsTest is Test {
    DistributorHandler private _handler;
    EpochDistributor private _distributor;

    function setUp() public {
        _handler = new DistributorHandler();
        _distributor = _handler.theDistributor();
    }

    function targetContracts() public view returns (address[] memory contracts) {
        contracts = new address[](1);
        contracts[0] = address(_handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[18] memory doors = [
            _handler.fund.selector,
            _handler.donate.selector,
            _handler.postNext.selector,
            _handler.finalizeOldest.selector,
            _handler.disputeOne.selector,
            _handler.claimOne.selector,
            _handler.claimSome.selector,
            _handler.claimWrongly.selector,
            _handler.notice.selector,
            _handler.expire.selector,
            _handler.block_.selector,
            _handler.rotate.selector,
            _handler.pass.selector,
            _handler.windUp.selector,
            _handler.escape.selector,
            _handler.escapeAll.selector,
            _handler.takeBack.selector,
            _handler.sweep.selector
        ];
        // Posting, time and finalising stand twice: without them nothing else can happen.
        bytes4[] memory selectors = new bytes4[](21);
        for (uint256 i = 0; i < 18; ++i) {
            selectors[i] = doors[i];
        }
        selectors[18] = _handler.postNext.selector;
        selectors[19] = _handler.pass.selector;
        selectors[20] = _handler.finalizeOldest.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), selectors);
    }

    /// @notice Money, ceilings and roots; together, since each invariant costs a campaign of its own.
    function invariant_every_unit_is_accounted_for_under_ceilings_and_an_unbroken_row_of_roots() public view {
        vm.assertEq(_handler.broken(), "", "what the handler saw");
        _everyUnitIsAccountedFor();
        _nobodyIsPaidAboveWhatFinalRootsSaid();
        _rootsStandInOneUnbrokenRow();
    }

    /// @dev Balance = what came in - what went out, to the unit; so it covers what is funded and not yet claimed.
    function _everyUnitIsAccountedFor() private view {
        (uint256 funded, uint256 claimed) = _distributor.books();
        uint256 escaped = _distributor.escaped();
        uint256 balance = _handler.hostile().balanceOf(address(_distributor));
        vm.assertEq(funded, _handler.moneyIn(), "funded is what arrived");
        vm.assertEq(claimed + escaped, _handler.paidOut(), "claims and shares are what went out");
        vm.assertEq(
            balance,
            _handler.moneyIn() + _handler.donated() - _handler.paidOut() - _handler.takenBack(),
            "balance"
        );
        vm.assertLe(escaped, _distributor.escapePot(), "no more than the pot");
        if (_handler.takenBack() > 0) {
            vm.assertEq(claimed, 0, "taken back only where nobody was owed anything");
            vm.assertLe(_handler.takenBack(), funded, "no more than was paid in");
        } else {
            vm.assertGe(balance, funded - claimed - escaped, "what is owed lies there");
        }
    }

    /// @dev No root pays above its ceiling, and no payee above the last final word.
    function _nobodyIsPaidAboveWhatFinalRootsSaid() private view {
        (uint256 funded, uint256 claimed) = _distributor.books();
        vm.assertLe(claimed, funded, "claimed <= funded");
        uint256 sum = 0;
        for (uint256 i = 0; i < _handler.NUM_PAYEES(); ++i) {
            uint256 paid = _distributor.claimed(keccak256(abi.encode("payee", i)));
            vm.assertLe(paid, _handler.highest(i), "a payee's claims <= the highest final word");
            sum += paid;
        }
        vm.assertEq(sum, claimed, "payees' claims sum to the books'");
        if (_handler.numFinalized() > 0) vm.assertLe(claimed, _distributor.finalRoot().total, "the ceiling");
        else vm.assertEq(claimed, 0, "nothing final, nothing paid");
    }

    /// @dev Epochs are consecutive, a final root never changes, pending ones are at most seven and totals never fall.
    function _rootsStandInOneUnbrokenRow() private view {
        (uint256 next, uint256 numFinal,, bool isWoundUp) = _distributor.state();
        vm.assertEq(next, _handler.numPosted() - _handler.numDropped(), "next = posted - dropped");
        vm.assertEq(numFinal, _handler.numFinalized(), "final = finalised");
        vm.assertLe(next - numFinal, 7, "pending");
        vm.assertEq(isWoundUp, _handler.isWoundUp(), "wound up for good");
        uint256 total = 0;
        if (numFinal > 0) {
            World.Statement memory said = _handler.finalStatement();
            EpochDistributor.Root memory last = _distributor.finalRoot();
            vm.assertEq(last.root, said.nodes[0], "the final root is the one that was made final");
            vm.assertEq(last.total, said.total, "and so is its total");
            total = last.total;
        }
        for (uint256 epoch = numFinal; epoch < next; ++epoch) {
            EpochDistributor.Root memory pending = _distributor.pendingRoot(epoch);
            vm.assertGe(pending.total, total, "totals never fall");
            total = pending.total;
        }
        (uint256 funded,) = _distributor.books();
        vm.assertGe(funded, total, "every posted total is paid in");
    }

    /// @notice At the end of every run in which the final statement is honest, all can be paid all.
    function afterInvariant() public {
        if (_handler.numFinalized() == 0 || _handler.isLying()) return;
        World.Statement memory said = _handler.finalStatement();
        for (uint256 i = 0; i < _handler.NUM_PAYEES(); ++i) {
            // A lying root before it may have paid one payee what this one says is another's.
            if (_distributor.claimed(said.ids[i]) > said.amounts[i]) return;
        }
        _handler.claimForAll();
        (, uint256 claimed) = _distributor.books();
        vm.assertEq(claimed, said.total, "all are paid in full");
    }
}
