// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {EpochDistributor} from "../../src/EpochDistributor.sol";
import {PayeeRegistry} from "../../src/PayeeRegistry.sol";
import {ProvenanceRegistry} from "../../src/ProvenanceRegistry.sol";
import {PlainToken} from "../mocks/HostileTokens.sol";
import {Test} from "./Test.sol";
import {Tree} from "./Tree.sol";

/// @title All contracts deployed together, with the people who act on them
/// @notice Payee `i` has the id `idOf(i)`, the key `keyOf(i)` and belongs to community 1, whose three members sign two of
/// three; `FUND` is that community's fund. A `Statement` is what a poster publishes: ids, cumulative amounts and the tree
/// over them.
abstract contract World is Test {
    struct Statement {
        bytes32[] ids;
        uint256[] amounts;
        uint256 total;
        bytes32[] nodes;
    }

    uint64 internal constant WINDOW = 1 days;
    uint64 internal constant SILENCE = 30 days;
    uint64 internal constant NOTICE = 180 days;
    uint64 internal constant ROTATION_DELAY = 3 days;
    uint32 internal constant COMMUNITY = 1;
    uint8 internal constant THRESHOLD = 2;
    bytes32 internal constant FUND = keccak256("fund of community 1");
    bytes32 internal constant DATA = keccak256("published statement");

    address internal admin = account("admin");
    address internal registrar = account("registrar");
    address internal poster = account("poster");
    address internal guardian = account("guardian");
    address internal stranger = account("stranger");
    address internal fundAccount = account("fund");

    IERC20 internal token;
    PayeeRegistry internal payees;
    ProvenanceRegistry internal provenance;
    EpochDistributor internal distributor;

    /// @dev Everything deployed on a token, payees 0 ... `numPayees` - 1 and community 1 entered.
    function build(IERC20 token_, uint256 numPayees) internal {
        token = token_;
        // By artefact: a test that held all this code would itself not fit into a transaction.
        payees = PayeeRegistry(
            vm.deployCode("PayeeRegistry.sol:PayeeRegistry", abi.encode(admin, registrar, ROTATION_DELAY))
        );
        provenance = ProvenanceRegistry(
            vm.deployCode("ProvenanceRegistry.sol:ProvenanceRegistry", abi.encode(admin, registrar, payees))
        );
        distributor = newDistributor(token_);
        bytes memory rows = row(FUND, fundAccount, 0);
        for (uint256 i = 0; i < numPayees; ++i) {
            rows = bytes.concat(rows, row(idOf(i), accountOf(i), COMMUNITY));
        }
        vm.startPrank(registrar);
        payees.createCommunity(COMMUNITY, members(), THRESHOLD, FUND);
        payees.registerPayees(rows);
        vm.stopPrank();
        vm.prank(poster);
        // Tokens that return nothing would fail an IERC20 call's own check.
        (bool done,) = address(token_).call(abi.encodeCall(IERC20.approve, (address(distributor), type(uint256).max)));
        vm.assertTrue(done, "approve");
    }

    function newDistributor(IERC20 token_) internal returns (EpochDistributor) {
        return newDistributor(token_, [admin, poster, guardian], SILENCE);
    }

    function newDistributor(IERC20 token_, address[3] memory roles, uint64 silence) internal returns (EpochDistributor) {
        bytes memory given = abi.encode(token_, payees, provenance, roles, WINDOW, silence, NOTICE);
        return EpochDistributor(vm.deployCode("EpochDistributor.sol:EpochDistributor", given));
    }

    // ---- people ----------------------------------------------------------------------------------------------------

    function idOf(uint256 i) internal pure returns (bytes32) {
        return keccak256(abi.encode("payee", i));
    }

    function keyOf(uint256 i) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("payee's key", i)));
    }

    function accountOf(uint256 i) internal pure returns (address) {
        return vm.addr(keyOf(i));
    }

    function memberKey(uint256 i) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("member's key", i)));
    }

    function members() internal pure returns (address[] memory who) {
        who = new address[](3);
        for (uint256 i = 0; i < 3; ++i) {
            who[i] = vm.addr(memberKey(i));
        }
    }

    function row(bytes32 id, address where, uint32 community) internal pure returns (bytes memory) {
        return abi.encodePacked(id, where, community);
    }

    /// @notice Signatures of community 1's members over a digest: bit i of `who` says whether member i signs.
    function signatures(bytes32 digest, uint256 who) internal pure returns (bytes[] memory list) {
        list = new bytes[](3);
        for (uint256 i = 0; i < 3; ++i) {
            if ((who >> i) & 1 == 1) list[i] = signed(memberKey(i), digest);
        }
    }

    // ---- statements ------------------------------------------------------------------------------------------------

    function leafOf(bytes32 id, uint256 cumulative) internal view returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(block.chainid, address(distributor), id, cumulative))));
    }

    function statement(bytes32[] memory ids, uint256[] memory amounts) internal view returns (Statement memory made) {
        bytes32[] memory leaves = new bytes32[](ids.length);
        uint256 total = 0;
        for (uint256 i = 0; i < ids.length; ++i) {
            leaves[i] = leafOf(ids[i], amounts[i]);
            total += amounts[i];
        }
        return Statement(ids, amounts, total, Tree.nodesOf(leaves));
    }

    /// @notice Payees 0 ... n - 1 with one amount each.
    function statement(uint256[] memory amounts) internal view returns (Statement memory) {
        bytes32[] memory ids = new bytes32[](amounts.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            ids[i] = idOf(i);
        }
        return statement(ids, amounts);
    }

    /// @notice `numPayees` payees; payee i has earned `step` x (i + 1).
    function ladder(uint256 numPayees, uint256 step) internal view returns (Statement memory) {
        uint256[] memory amounts = new uint256[](numPayees);
        for (uint256 i = 0; i < numPayees; ++i) {
            amounts[i] = step * (i + 1);
        }
        return statement(amounts);
    }

    function proofOf(Statement memory s, uint256 i) internal pure returns (bytes32[] memory) {
        return Tree.proofOf(s.nodes, i);
    }

    function nextEpoch() internal view returns (uint64 next) {
        (next,,,) = distributor.state();
    }

    function numFinal() internal view returns (uint64 count) {
        (, count,,) = distributor.state();
    }

    function funded() internal view returns (uint128 amount) {
        (amount,) = distributor.books();
    }

    function totalClaimed() internal view returns (uint128 amount) {
        (, amount) = distributor.books();
    }

    // ---- what the poster and others do -----------------------------------------------------------------------------

    function mint(address to, uint256 amount) internal {
        PlainToken(address(token)).mint(to, amount);
    }

    function post(Statement memory s) internal returns (uint256 epoch) {
        return post(s.nodes[0], s.total);
    }

    function post(bytes32 root, uint256 total) internal returns (uint256 epoch) {
        epoch = nextEpoch();
        if (total > funded()) mint(poster, total - funded());
        bytes32 head = provenance.head();
        vm.prank(poster);
        distributor.post(epoch, root, total, head, DATA);
    }

    function settle(Statement memory s) internal returns (uint256 epoch) {
        epoch = post(s);
        vm.warp(block.timestamp + WINDOW);
        distributor.finalize(epoch);
    }

    function claim(Statement memory s, uint256 i) internal {
        distributor.claim(s.ids[i], s.amounts[i], proofOf(s, i));
    }

    function claimList(Statement memory s, uint256[] memory chosen)
        internal
        pure
        returns (EpochDistributor.Claim[] memory list)
    {
        list = new EpochDistributor.Claim[](chosen.length);
        for (uint256 k = 0; k < chosen.length; ++k) {
            uint256 i = chosen[k];
            list[k] = EpochDistributor.Claim(s.ids[i], s.amounts[i], proofOf(s, i));
        }
    }

    function claimAtOnce(Statement memory s, uint256[] memory chosen) internal {
        (bytes32[] memory proof, bool[] memory flags) = Tree.multiProofOf(s.nodes, chosen);
        bytes32[] memory ids = new bytes32[](chosen.length);
        uint256[] memory amounts = new uint256[](chosen.length);
        for (uint256 k = 0; k < chosen.length; ++k) {
            (ids[k], amounts[k]) = (s.ids[chosen[k]], s.amounts[chosen[k]]);
        }
        distributor.claimMulti(ids, amounts, proof, flags);
    }

    /// @notice Numbers from `first` up to `end`, the end left out.
    function range(uint256 first, uint256 end) internal pure returns (uint256[] memory numbers) {
        numbers = new uint256[](end - first);
        for (uint256 i = first; i < end; ++i) {
            numbers[i - first] = i;
        }
    }
}
