// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RoyaltyPool} from "../src/RoyaltyPool.sol";
import {Pools} from "./base/Pools.sol";
import {HostileToken} from "./mocks/HostileTokens.sol";

/// @notice Anything anybody may do with a pool, in any order: paying in every way, opening derivatives, withdrawing,
/// gifts, payees who cannot receive for a while, payees who move.
contract RoyaltyPoolHandler is Pools {
    uint256 public constant NUM_PAYEES = 6;
    uint256 private constant MAX_WORKS = 10;

    uint256 public paidIn;
    uint256 public gifts;
    bytes32[] public opened;
    bytes[] private _records;
    /// @notice Every account that has ever been a payee's.
    address[] private _accounts;

    constructor() {
        build(new HostileToken(), NUM_PAYEES);
        buildPool(RoyaltyPool.Rule.LRP, true, 0);
        for (uint256 i = 0; i < NUM_PAYEES; ++i) {
            _accounts.push(accountOf(i));
        }
        _enter(draftBy(0, 5e6, new bytes32[](0)));
        _enter(draftBy(1, 1e7, new bytes32[](0)));
    }

    function royaltyPool() external view returns (RoyaltyPool) {
        return pool;
    }

    function numOpened() external view returns (uint256) {
        return opened.length;
    }

    /// @return owed What the pool says it owes.
    /// @return sum Of all payees' balances in the pool.
    /// @return held Tokens in the pool.
    /// @return out Tokens on all accounts that were ever a payee's.
    function books() external view returns (uint256 owed, uint256 sum, uint256 held, uint256 out) {
        (owed, held) = (pool.totalOwed(), token.balanceOf(address(pool)));
        for (uint256 i = 0; i < NUM_PAYEES; ++i) {
            sum += pool.balanceOf(idOf(i));
        }
        for (uint256 i = 0; i < _accounts.length; ++i) {
            out += token.balanceOf(_accounts[i]);
        }
    }

    function derive(uint256 seed, uint32 share, uint256 payee, uint16 bps) external {
        if (opened.length == MAX_WORKS) return;
        uint256 count = 0;
        bytes32[] memory list = new bytes32[](3);
        for (uint256 k = 0; k < opened.length && count < 3; ++k) {
            if ((seed >> k) & 1 == 1) list[count++] = opened[k];
        }
        assembly ("memory-safe") {
            mstore(list, count)
        }
        Draft memory d = draftBy(payee % NUM_PAYEES, uint32(share % 2e7), list);
        d.content = keccak256(abi.encode("derived", opened.length));
        (d.stemIds, d.stemBps) = (new bytes32[](2), new uint16[](2));
        (d.stemIds[0], d.stemIds[1]) = (idOf(payee % NUM_PAYEES), idOf((payee / 7) % NUM_PAYEES));
        (d.stemBps[0], d.stemBps[1]) = (bps % 10_001, 10_000 - bps % 10_001);
        _enter(d);
    }

    function payOne(uint256 which, uint256 amount) external {
        amount = between(amount, 1, 1e24);
        pay(opened[which % opened.length], amount);
        paidIn += amount;
    }

    function payTwo(uint256 first, uint256 second, uint64 a, uint64 b) external {
        if (uint256(a) + b == 0) return;
        uint256[] memory amounts = new uint256[](2);
        (amounts[0], amounts[1]) = (a, b);
        mint(address(this), uint256(a) + b);
        pool.payMany(two(opened[first % opened.length], opened[second % opened.length]), amounts);
        paidIn += uint256(a) + b;
    }

    function payByProof(bool second, uint64 amount) external {
        if (amount == 0) return;
        uint256 number = second ? 1 : 0;
        RoyaltyPool.RecordedPayment[] memory list = new RoyaltyPool.RecordedPayment[](1);
        list[0] = RoyaltyPool.RecordedPayment(number, number, amount, _records[number], new bytes32[](0));
        mint(address(this), amount);
        pool.payRecorded(list);
        paidIn += amount;
    }

    function withdraw(uint256 payee) external {
        pool.withdraw(idOf(payee % NUM_PAYEES));
    }

    function withdrawMany(uint8 which) external {
        bytes32[] memory ids = new bytes32[](NUM_PAYEES + 1);
        for (uint256 i = 0; i < NUM_PAYEES; ++i) {
            if ((which >> i) & 1 == 1) ids[i] = idOf(i);
        }
        ids[NUM_PAYEES] = ids[0];
        pool.withdrawMany(ids);
    }

    function give(uint64 amount) external {
        mint(address(pool), amount);
        gifts += amount;
    }

    function treat(uint256 payee, uint8 how) external {
        // Those that fail and move nothing, and PAYS twice as often.
        address where = payees.accountOf(idOf(payee % NUM_PAYEES));
        how %= 6;
        HostileToken(address(token)).treat(
            where, how == 5 ? HostileToken.Treatment.PAYS : HostileToken.Treatment(how)
        );
    }

    function move(uint256 payee) external {
        address to = address(uint160(uint256(keccak256(abi.encode("moved to", _accounts.length)))));
        bytes32 id = idOf(payee % NUM_PAYEES);
        vm.prank(payees.accountOf(id));
        payees.requestRotation(id, to, block.timestamp, "");
        waitAndComplete(id);
        _accounts.push(to);
    }

    function _enter(Draft memory d) private {
        bytes memory record = pack(d);
        bytes32 key = enterOpen(record);
        try pool.open(key, record) {
            opened.push(key);
        } catch {}
        _records.push(record);
    }
}

/// @notice What holds of a pool whatever is done with it.
contract RoyaltyPoolInvariantTest is Pools {
    RoyaltyPoolHandler private handler;

    function setUp() public {
        handler = new RoyaltyPoolHandler();
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory list) {
        bytes4[] memory selectors = new bytes4[](9);
        selectors[0] = RoyaltyPoolHandler.derive.selector;
        selectors[1] = RoyaltyPoolHandler.payOne.selector;
        selectors[2] = RoyaltyPoolHandler.payTwo.selector;
        selectors[3] = RoyaltyPoolHandler.payByProof.selector;
        selectors[4] = RoyaltyPoolHandler.withdraw.selector;
        selectors[5] = RoyaltyPoolHandler.withdrawMany.selector;
        selectors[6] = RoyaltyPoolHandler.give.selector;
        selectors[7] = RoyaltyPoolHandler.treat.selector;
        selectors[8] = RoyaltyPoolHandler.move.selector;
        list = new FuzzSelector[](1);
        list[0] = FuzzSelector(address(handler), selectors);
    }

    function invariant_every_unit_paid_in_is_owed_or_was_paid_out_and_what_is_owed_is_held() public view {
        (uint256 owed, uint256 sum, uint256 held, uint256 out) = handler.books();
        vm.assertEq(owed, sum, "owed is the sum of balances");
        vm.assertEq(held, owed + handler.gifts(), "held is owed and given");
        vm.assertEq(handler.paidIn(), owed + out, "paid in is owed or was paid out");
    }

    /// @dev Once a run: shares and stack are the whole, parts sum to the amount, and rounding moves less than a unit a part.
    function afterInvariant() public view {
        RoyaltyPool target = handler.royaltyPool();
        for (uint256 k = 0; k < handler.numOpened(); ++k) {
            bytes32 key = handler.opened(k);
            RoyaltyPool.Share[] memory shares = target.ancestorsOf(key);
            (, uint256[] memory amounts) = target.preview(key, 1e9 + 7);
            uint256 stack = 0;
            uint256 sum = amounts[shares.length];
            for (uint256 i = 0; i < shares.length; ++i) {
                stack += shares[i].weight;
                sum += amounts[i];
                uint256 exact = shares[i].weight * (1e9 + 7);
                vm.assertLt(amounts[i] * WHOLE, exact + WHOLE, "less than a unit more");
                vm.assertGt(amounts[i] * WHOLE + WHOLE, exact, "less than a unit less");
            }
            vm.assertLe(stack, WHOLE, "the stack is at most the whole");
            vm.assertEq(sum, 1e9 + 7, "parts sum to the amount");
        }
    }
}
