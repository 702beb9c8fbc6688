// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PayeeRegistry} from "../src/PayeeRegistry.sol";
import {Noting} from "./base/Noting.sol";
import {Signing} from "./base/Signing.sol";
import {Test} from "./base/Test.sol";
import {PlainToken} from "./mocks/HostileTokens.sol";

/// @title Holders, members, thieves and time, in any order
/// @notice The handler keeps its own record of who asked for what and when, and completes rotations by that record alone.
contract RotationHandler is Signing, Noting {
    /// @param to Account asked for; zero where nothing is pending.
    /// @param at When it was asked for.
    /// @param who Bits of the members who signed; 0 for the holder's own request.
    struct Asked {
        address to;
        uint256 at;
        uint256 who;
    }

    uint256 public constant NUM_PAYEES = 3;
    uint256 private constant NUM_ACCOUNTS = 8;

    mapping(uint256 payee => Asked asked) private _asked;
    /// @dev Whose key holds a payee now, and whose would after the pending rotation.
    mapping(uint256 payee => uint256 holder) private _holder;
    mapping(uint256 payee => uint256 holder) private _next;
    /// @dev Kept, as an address costs a multiplication on the curve.
    address[NUM_ACCOUNTS] private _accounts;

    constructor() {
        build(new PlainToken(), NUM_PAYEES);
        for (uint256 i = 0; i < NUM_PAYEES; ++i) {
            _holder[i] = i;
        }
        for (uint256 i = 0; i < NUM_ACCOUNTS; ++i) {
            _accounts[i] = accountOf(i);
        }
    }

    function byHolder(uint8 payee, uint8 towards, bool signs) external {
        uint256 to = towards % NUM_ACCOUNTS;
        uint256 i = payee % NUM_PAYEES;
        bytes32 digest = rotationDigest(idOf(i), _accounts[to], payees.nonceOf(idOf(i)), block.timestamp);
        bytes memory signature = signs ? signed(keyOf(_holder[i]), digest) : bytes("");
        vm.prank(signs ? stranger : _accounts[_holder[i]]);
        (bool done,) = address(payees).call(
            abi.encodeCall(payees.requestRotation, (idOf(i), _accounts[to], block.timestamp, signature))
        );
        must(done == (_asked[i].who == 0), "the holder may, unless the community has asked");
        if (done) (_asked[i], _next[i]) = (Asked(_accounts[to], block.timestamp, 0), to);
    }

    function byCommunity(uint8 payee, uint8 towards, uint8 mask) external {
        uint256 to = towards % NUM_ACCOUNTS;
        uint256 i = payee % NUM_PAYEES;
        uint256 who = mask % 8;
        bytes[] memory list = signatures(communityDigest(idOf(i), _accounts[to], block.timestamp), who);
        (bool done,) = address(payees).call(
            abi.encodeCall(payees.requestRotationByCommunity, (idOf(i), _accounts[to], block.timestamp, list))
        );
        bool enough = who == 3 || who == 5 || who == 6 || who == 7;
        bool blocked = _asked[i].to != address(0) && who != 7 && (_asked[i].who == 0 || _asked[i].who == 7);
        must(done == (enough && !blocked), "two of three, unless the holder or all members have asked");
        if (done) (_asked[i], _next[i]) = (Asked(_accounts[to], block.timestamp, who), to);
    }

    function cancel(uint8 payee) external {
        uint256 i = payee % NUM_PAYEES;
        vm.prank(_accounts[_holder[i]]);
        (bool done,) =
            address(payees).call(abi.encodeCall(payees.cancelRotation, (idOf(i), block.timestamp, bytes(""))));
        must(done == (_asked[i].to != address(0) && _asked[i].who != 7), "a veto, unless all members asked");
        if (done) delete _asked[i];
    }

    /// @dev Whoever is not the holder and has no members' signatures gets nowhere.
    function byThief(uint8 payee, uint8 door, uint256 key) external {
        uint256 i = payee % NUM_PAYEES;
        bytes memory forged = signed(between(key, 1, 2 ** 128), keccak256("anything"));
        bytes[] memory list = new bytes[](3);
        (list[0], list[1], list[2]) = (forged, forged, forged);
        bytes[3] memory doors = [
            abi.encodeCall(payees.requestRotation, (idOf(i), stranger, block.timestamp, forged)),
            abi.encodeCall(payees.cancelRotation, (idOf(i), block.timestamp, forged)),
            abi.encodeCall(payees.requestRotationByCommunity, (idOf(i), stranger, block.timestamp, list))
        ];
        vm.prank(stranger);
        (bool done,) = address(payees).call(doors[door % 3]);
        must(!done, "a thief without a key");
    }

    function complete(uint8 payee, bool wait) external {
        uint256 i = payee % NUM_PAYEES;
        if (wait) vm.warp(block.timestamp + ROTATION_DELAY);
        bool ready = _asked[i].to != address(0) && block.timestamp >= _asked[i].at + ROTATION_DELAY;
        (bool done,) = address(payees).call(abi.encodeCall(payees.completeRotation, (idOf(i))));
        must(done == ready, "when the delay has passed, and only then");
        if (!done) return;
        _holder[i] = _next[i];
        delete _asked[i];
    }

    function pass(uint32 time) external {
        vm.warp(block.timestamp + time % (2 * ROTATION_DELAY));
    }

    /// @notice What the registry should say of a payee by this record.
    function expected(uint256 i) external view returns (bytes32 id, address holder, address pending, uint256 readyAt) {
        Asked memory asked = _asked[i];
        uint256 ready = asked.to == address(0) ? 0 : asked.at + ROTATION_DELAY;
        return (idOf(i), _accounts[_holder[i]], asked.to, ready);
    }

    function theRegistry() external view returns (PayeeRegistry) {
        return payees;
    }
}

/// @notice What holds of payees' accounts after whatever was asked.
contract PayeeRegistryInvariantsTest is Test {
    RotationHandler private _handler;
    PayeeRegistry private _payees;

    function setUp() public {
        _handler = new RotationHandler();
        _payees = _handler.theRegistry();
    }

    function targetContracts() public view returns (address[] memory contracts) {
        contracts = new address[](1);
        contracts[0] = address(_handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](6);
        selectors[0] = _handler.byHolder.selector;
        selectors[1] = _handler.byCommunity.selector;
        selectors[2] = _handler.cancel.selector;
        selectors[3] = _handler.byThief.selector;
        selectors[4] = _handler.complete.selector;
        selectors[5] = _handler.pass.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), selectors);
    }

    /// @notice An account changes by a completed rotation and by nothing else, and is never nobody's.
    function invariant_accounts_are_where_completed_rotations_put_them() public view {
        vm.assertEq(_handler.broken(), "", "what the handler saw");
        for (uint256 i = 0; i < _handler.NUM_PAYEES(); ++i) {
            (bytes32 id, address holder, address pending, uint256 readyAt) = _handler.expected(i);
            (address newAccount, uint64 ready,,) = _payees.rotationOf(id);
            vm.assertEq(_payees.accountOf(id), holder, "holder");
            vm.assertEq(newAccount, pending, "what is pending");
            vm.assertEq(ready, readyAt, "the whole delay");
        }
    }
}
