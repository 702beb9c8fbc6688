// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RoyaltyPool} from "../../src/RoyaltyPool.sol";
import {Works} from "../base/Works.sol";
import {PlainToken} from "../mocks/HostileTokens.sol";

/// @notice What registering works and paying along their sources costs, transaction by transaction (see DistributorGas).
contract WorksGasTest is Works {
    string private constant REGISTRY = "provenance";
    string private constant POOL = "pool";
    uint32 private constant TENTH = 1e7;

    RoyaltyPool private _pool;

    function setUp() public {
        build(new PlainToken(), 8);
        bytes memory given = abi.encode(token, payees, provenance, RoyaltyPool.Rule.LAP, true, uint256(0));
        _pool = RoyaltyPool(vm.deployCode("RoyaltyPool.sol:RoyaltyPool", given));
        mint(address(this), 1_000_000);
        token.approve(address(_pool), type(uint256).max);
    }

    function test_batches_of_works() public {
        bytes[] memory originals = new bytes[](100);
        for (uint256 i = 0; i < 100; ++i) {
            originals[i] = pack(_work(i, new bytes32[](0)));
        }
        enter(originals);
        vm.snapshotGasLastCall(REGISTRY, "registerBatch of 100 originals");
        bytes[] memory derived = new bytes[](100);
        for (uint256 i = 0; i < 100; ++i) {
            derived[i] = pack(_work(100 + i, keys(i, i + 1)));
        }
        enter(derived);
        vm.snapshotGasLastCall(REGISTRY, "registerBatch of 100 works with a parent each");
        bytes32[] memory none = new bytes32[](0);
        uint256 number = enter(one(pack(_work(200, none))));
        provenance.open(number, number, pack(_work(200, none)), none);
        vm.snapshotGasLastCall(REGISTRY, "open a work of a batch of one");
    }

    function test_single_works() public {
        bytes32 parent = enterOpen(pack(_work(0, new bytes32[](0))));
        bytes memory record = pack(_work(1, one(parent)));
        announce(accountOf(1), record);
        vm.snapshotGasLastCall(REGISTRY, "commit");
        vm.warp(block.timestamp + 60);
        vm.prank(accountOf(1));
        provenance.reveal(record, SALT);
        vm.snapshotGasLastCall(REGISTRY, "reveal a work with one parent");
    }

    function test_labels() public {
        bytes32 digest = consentDigest(COMMUNITY, ALL_WORKS, DERIVE, 0, 0, block.timestamp);
        provenance.setConsent(COMMUNITY, ALL_WORKS, DERIVE, 0, block.timestamp, signatures(digest, TWO_SIGN));
        vm.snapshotGasLastCall(REGISTRY, "setConsent, two of three");
    }

    /// @dev A chain of four works: the last one pays three ancestors and itself.
    function test_paying_along_a_chain() public {
        bytes32[] memory parents = new bytes32[](0);
        bytes32 key;
        for (uint256 i = 0; i < 4; ++i) {
            bytes memory record = pack(_work(i, parents));
            key = enterOpen(record);
            _pool.open(key, record);
            if (i == 0) vm.snapshotGasLastCall(POOL, "open a work without ancestors");
            if (i == 3) vm.snapshotGasLastCall(POOL, "open a work with three ancestors");
            parents = one(key);
        }
        _pool.pay(key, 1_000);
        vm.snapshotGasLastCall(POOL, "pay a work with three ancestors, first time");
        _pool.pay(key, 1_000);
        vm.snapshotGasLastCall(POOL, "pay a work with three ancestors, repeated");
        _pool.withdraw(idOf(3));
        vm.snapshotGasLastCall(POOL, "withdraw");
        bytes32[] memory ids = new bytes32[](3);
        (ids[0], ids[1], ids[2]) = (idOf(0), idOf(1), idOf(2));
        _pool.withdrawMany(ids);
        vm.snapshotGasLastCall(POOL, "withdrawMany of three");
        vm.assertEq(token.balanceOf(address(_pool)), 0, "all is withdrawn");
    }

    /// @dev Work `i` belongs to payee i % 8 and is due a tenth of every derivative's payments.
    function _work(uint256 i, bytes32[] memory parents) private pure returns (Draft memory made) {
        made = draft("work");
        made.content = keccak256(abi.encode("work", i));
        made.share = TENTH;
        made.parents = parents;
        made.stemIds[0] = idOf(i % 8);
    }
}
