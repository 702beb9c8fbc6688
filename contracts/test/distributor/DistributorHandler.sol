// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EpochDistributor} from "../../src/EpochDistributor.sol";
import {Noting} from "../base/Noting.sol";
import {World} from "../base/World.sol";
import {HostileToken} from "../mocks/HostileTokens.sol";

/// @title Everything that may happen to a distributor, in any order
/// @notice forge calls these functions at random. Each tries one thing with fuzzed arguments; what is refused is refused.
/// The handler keeps its own books (`moneyIn`, `paidOut`, what each final statement said), against which the invariants
/// hold the contract's. One statement in three lies: its leaves sum to more than its total.
contract DistributorHandler is World, Noting {
    uint256 public constant NUM_PAYEES = 6;

    HostileToken public hostile;
    /// @notice What arrived by funding and posting, what was given, and what left.
    uint256 public moneyIn;
    uint256 public donated;
    uint256 public paidOut;
    uint256 public takenBack;
    uint256 public numPosted;
    uint256 public numDropped;
    uint256 public numFinalized;
    bool public isLying;
    bool public isWoundUp;

    Statement[8] private _pending;
    Statement private _final;
    bool[8] private _lies;
    /// @notice Most that any final root has said of a payee.
    mapping(uint256 payee => uint256 amount) public highest;
    /// @dev What a payee was paid or a fund was in the payee's stead, as last seen.
    mapping(uint256 payee => uint256 amount) private _seenClaimed;

    constructor() {
        hostile = new HostileToken();
        build(hostile, NUM_PAYEES);
    }

    // ---- money in --------------------------------------------------------------------------------------------------

    function fund(uint64 amount, bool byPoster) external {
        address who = byPoster ? poster : stranger;
        mint(who, amount);
        vm.startPrank(who);
        token.approve(address(distributor), type(uint256).max);
        try distributor.fund(amount) {
            moneyIn += amount;
        } catch {}
        vm.stopPrank();
    }

    function donate(uint32 amount) external {
        mint(address(distributor), amount);
        donated += amount;
    }

    function postNext(uint32[6] calldata rises, uint8 lie) external {
        uint256[] memory amounts = new uint256[](NUM_PAYEES);
        uint256 epoch = nextEpoch();
        Statement storage last = epoch == numFinal() ? _final : _pending[(epoch + 7) % 8];
        uint256 lastTotal = last.total;
        for (uint256 i = 0; i < NUM_PAYEES; ++i) {
            amounts[i] = (last.amounts.length == 0 ? 0 : last.amounts[i]) + rises[i];
        }
        Statement memory s = statement(amounts);
        bool lies = lie % 3 == 0 && s.total > lastTotal;
        if (lies) s.total = lastTotal + (s.total - lastTotal) / 2;
        bytes32 head = provenance.head();
        uint256 lacking = s.total > moneyIn ? s.total - moneyIn : 0;
        mint(poster, lacking);
        vm.prank(poster);
        try distributor.post(epoch, s.nodes[0], s.total, head, DATA) {
            moneyIn += lacking;
            ++numPosted;
            _pending[epoch % 8] = s;
            _lies[epoch % 8] = lies;
        } catch {}
    }

    // ---- roots -----------------------------------------------------------------------------------------------------

    function finalizeOldest() external {
        uint256 epoch = numFinal();
        try distributor.finalize(epoch) {
            _final = _pending[epoch % 8];
            isLying = _lies[epoch % 8];
            ++numFinalized;
            for (uint256 i = 0; i < NUM_PAYEES; ++i) {
                if (_final.amounts[i] > highest[i]) highest[i] = _final.amounts[i];
            }
        } catch {}
    }

    function disputeOne(uint8 ahead) external {
        uint256 next = nextEpoch();
        uint256 epoch = numFinal() + ahead % 8;
        uint256 balance = token.balanceOf(address(distributor));
        vm.prank(guardian);
        try distributor.dispute(epoch) {
            numDropped += next - epoch;
        } catch {}
        must(token.balanceOf(address(distributor)) == balance, "a dispute moves no money");
    }

    // ---- money out -------------------------------------------------------------------------------------------------

    function claimOne(uint8 payee) external {
        if (_final.amounts.length == 0) return;
        uint256 i = payee % NUM_PAYEES;
        uint256 balance = token.balanceOf(address(distributor));
        try distributor.claim(_final.ids[i], _final.amounts[i], proofOf(_final, i)) {} catch {}
        _out(balance);
    }

    function claimSome(uint8 mask, bool many) external {
        uint256[] memory chosen = _chosen(mask);
        if (_final.amounts.length == 0 || chosen.length == 0) return;
        uint256 balance = token.balanceOf(address(distributor));
        if (many) {
            try distributor.claimMany(claimList(_final, chosen)) {} catch {}
        } else {
            try this.claimAtOnceOf(chosen) {} catch {}
        }
        _out(balance);
    }

    /// @notice Everybody can be paid and is claimed for, one after the other: the surest way to a root's ceiling.
    function sweep() external {
        if (_final.amounts.length == 0) return;
        uint256 balance = token.balanceOf(address(distributor));
        for (uint256 i = 0; i < NUM_PAYEES; ++i) {
            hostile.treat(payees.accountOf(idOf(i)), HostileToken.Treatment.PAYS);
            try distributor.claim(_final.ids[i], _final.amounts[i], proofOf(_final, i)) {} catch {}
        }
        _out(balance);
    }

    function escapeAll() external {
        if (!isWoundUp || _final.amounts.length == 0) return;
        uint256 balance = token.balanceOf(address(distributor));
        for (uint256 i = 0; i < NUM_PAYEES; ++i) {
            try distributor.claimEscape(_final.ids[i], _final.amounts[i], proofOf(_final, i)) {} catch {}
        }
        _out(balance);
    }

    function claimWrongly(uint8 payee, uint128 amount) external {
        if (_final.amounts.length == 0) return;
        uint256 i = payee % NUM_PAYEES;
        if (amount == _final.amounts[i]) return;
        bytes32[] memory proof = proofOf(_final, i);
        (bool done,) = address(distributor).call(abi.encodeCall(distributor.claim, (_final.ids[i], amount, proof)));
        must(!done, "a claim that the root does not hold");
    }

    function notice(uint8 payee) external {
        if (_final.amounts.length == 0) return;
        uint256 i = payee % NUM_PAYEES;
        try distributor.giveNotice(_final.ids[i], _final.amounts[i], proofOf(_final, i)) {} catch {}
    }

    function expire(uint8 payee, bool wait) external {
        if (wait) vm.warp(block.timestamp + NOTICE);
        uint256 balance = token.balanceOf(address(distributor));
        uint256 inFund = token.balanceOf(fundAccount);
        try distributor.expire(idOf(payee % NUM_PAYEES)) {} catch {}
        must(
            token.balanceOf(fundAccount) - inFund == balance - token.balanceOf(address(distributor)), "to the fund alone"
        );
        _out(balance);
    }

    // ---- accounts --------------------------------------------------------------------------------------------------

    function block_(uint8 payee, uint8 treatment) external {
        hostile.treat(payees.accountOf(idOf(payee % NUM_PAYEES)), HostileToken.Treatment(treatment % 5));
    }

    function rotate(uint8 payee, uint8 to, bool complete) external {
        bytes32 id = idOf(payee % NUM_PAYEES);
        bytes32 before = _fingerprint(id);
        if (complete) {
            try payees.completeRotation(id) {} catch {}
        } else {
            vm.prank(payees.accountOf(id));
            try payees.requestRotation(id, accountOf(100 + to), block.timestamp, "") {} catch {}
        }
        must(_fingerprint(id) == before, "a rotation changes no amount");
    }

    function pass(uint32 time) external {
        vm.warp(block.timestamp + time % (2 * WINDOW));
    }

    // ---- the end ---------------------------------------------------------------------------------------------------

    function windUp(uint8 dice) external {
        if (dice % 16 == 0) vm.warp(block.timestamp + SILENCE);
        try distributor.windUp() {
            isWoundUp = true;
            // Pending epochs are dropped.
            numDropped = numPosted - numFinalized;
        } catch {}
    }

    function escape(uint8 payee) external {
        if (_final.amounts.length == 0) return;
        uint256 i = payee % NUM_PAYEES;
        uint256 balance = token.balanceOf(address(distributor));
        try distributor.claimEscape(_final.ids[i], _final.amounts[i], proofOf(_final, i)) {} catch {}
        _out(balance);
    }

    function takeBack(bool byPoster) external {
        uint256 balance = token.balanceOf(address(distributor));
        vm.prank(byPoster ? poster : stranger);
        try distributor.takeBack() {} catch {}
        takenBack += balance - token.balanceOf(address(distributor));
    }

    // ---- for the invariants ----------------------------------------------------------------------------------------

    function theDistributor() external view returns (EpochDistributor) {
        return distributor;
    }

    function finalStatement() external view returns (Statement memory) {
        return _final;
    }

    /// @notice Make everybody payable and claim for everybody, as somebody would in the end.
    function claimForAll() external {
        for (uint256 i = 0; i < NUM_PAYEES; ++i) {
            hostile.treat(payees.accountOf(idOf(i)), HostileToken.Treatment.PAYS);
        }
        uint256 balance = token.balanceOf(address(distributor));
        distributor.claimMany(claimList(_final, range(0, NUM_PAYEES)));
        _out(balance);
    }

    /// @dev From outside, so that it can be tried.
    function claimAtOnceOf(uint256[] calldata chosen) external {
        claimAtOnce(_final, chosen);
    }

    /// @dev After everything that may pay.
    function _out(uint256 balanceBefore) private {
        paidOut += balanceBefore - token.balanceOf(address(distributor));
        for (uint256 i = 0; i < NUM_PAYEES; ++i) {
            uint256 paid = distributor.claimed(idOf(i));
            must(paid >= _seenClaimed[i], "claimed amounts never fall");
            _seenClaimed[i] = paid;
        }
    }

    function _fingerprint(bytes32 id) private view returns (bytes32) {
        return keccak256(
            abi.encode(distributor.claimed(id), funded(), totalClaimed(), token.balanceOf(address(distributor)))
        );
    }

    function _chosen(uint256 mask) private pure returns (uint256[] memory chosen) {
        chosen = new uint256[](NUM_PAYEES);
        uint256 count = 0;
        for (uint256 i = 0; i < NUM_PAYEES; ++i) {
            if ((mask >> i) & 1 == 1) chosen[count++] = i;
        }
        assembly ("memory-safe") {
            mstore(chosen, count)
        }
    }
}
