// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {World} from "./World.sol";

/// @title What people sign: every EIP-712 digest of the contracts, built from the published types alone
/// @notice Type strings are written out here a second time, so that a change of one in the sources is noticed.
abstract contract Signing is World {
    uint256 internal constant ALL_SIGN = 7;
    uint256 internal constant TWO_SIGN = 3;

    function rotationDigest(bytes32 payeeId, address newAccount, uint256 nonce, uint256 deadline)
        internal
        view
        returns (bytes32)
    {
        bytes32 kind = keccak256("Rotation(bytes32 payeeId,address newAccount,uint256 nonce,uint256 deadline)");
        return typedDigest(address(payees), keccak256(abi.encode(kind, payeeId, newAccount, nonce, deadline)));
    }

    function cancelDigest(bytes32 payeeId, uint256 nonce, uint256 deadline) internal view returns (bytes32) {
        bytes32 kind = keccak256("Cancel(bytes32 payeeId,uint256 nonce,uint256 deadline)");
        return typedDigest(address(payees), keccak256(abi.encode(kind, payeeId, nonce, deadline)));
    }

    /// @dev Under the present account and nonce.
    function communityDigest(bytes32 payeeId, address newAccount, uint256 deadline) internal view returns (bytes32) {
        return communityDigest(
            payeeId, payees.accountOf(payeeId), newAccount, payees.communityRequestsOf(payeeId), deadline
        );
    }

    function communityDigest(bytes32 payeeId, address from, address newAccount, uint256 nonce, uint256 deadline)
        internal
        view
        returns (bytes32)
    {
        bytes32 kind = keccak256(
            "CommunityRotation(bytes32 payeeId,address account,address newAccount,uint256 nonce,uint256 deadline)"
        );
        return typedDigest(address(payees), keccak256(abi.encode(kind, payeeId, from, newAccount, nonce, deadline)));
    }

    function membersDigest(
        uint32 community,
        address[] memory newMembers,
        uint8 threshold,
        uint256 nonce,
        uint256 deadline
    ) internal view returns (bytes32) {
        bytes32 kind = keccak256(
            "Members(uint32 community,address[] members,uint8 threshold,uint256 nonce,uint256 deadline)"
        );
        bytes32 list = keccak256(abi.encodePacked(newMembers));
        return typedDigest(address(payees), keccak256(abi.encode(kind, community, list, threshold, nonce, deadline)));
    }

    function consentDigest(
        uint32 community,
        bytes32 key,
        uint8 uses,
        uint48 expiresAt,
        uint256 nonce,
        uint256 deadline
    ) internal view returns (bytes32) {
        bytes32 kind = keccak256(
            "Consent(uint32 community,bytes32 key,uint8 uses,uint48 expiresAt,uint256 nonce,uint256 deadline)"
        );
        return typedDigest(
            address(provenance), keccak256(abi.encode(kind, community, key, uses, expiresAt, nonce, deadline))
        );
    }

    function registrationDigest(bytes32 recordHash, address owner, bytes32 salt, uint256 deadline)
        internal
        view
        returns (bytes32)
    {
        bytes32 kind = keccak256("Registration(bytes32 recordHash,address owner,bytes32 salt,uint256 deadline)");
        return typedDigest(address(provenance), keccak256(abi.encode(kind, recordHash, owner, salt, deadline)));
    }

    // ---- the usual acts --------------------------------------------------------------------------------------------

    /// @notice The community asks for a rotation; bit i of `who` says whether member i signs.
    function askByCommunity(bytes32 payeeId, address newAccount, uint256 who) internal {
        bytes32 digest = communityDigest(payeeId, newAccount, block.timestamp);
        payees.requestRotationByCommunity(payeeId, newAccount, block.timestamp, signatures(digest, who));
    }

    /// @notice The holder (payee `i`) asks for a rotation, calling from the registered account.
    function askByHolder(uint256 i, address newAccount) internal {
        vm.prank(payees.accountOf(idOf(i)));
        payees.requestRotation(idOf(i), newAccount, block.timestamp, "");
    }

    function waitAndComplete(bytes32 payeeId) internal {
        vm.warp(block.timestamp + ROTATION_DELAY);
        payees.completeRotation(payeeId);
    }

    /// @notice Community 1's label, signed by two of three.
    function label(bytes32 key, uint8 uses, uint48 expiresAt) internal {
        bytes32 digest =
            consentDigest(COMMUNITY, key, uses, expiresAt, provenance.nonceOf(COMMUNITY), block.timestamp);
        provenance.setConsent(COMMUNITY, key, uses, expiresAt, block.timestamp, signatures(digest, TWO_SIGN));
    }

    /// @notice Change of community 1's members, by those of `who`.
    function changeMembers(address[] memory newMembers, uint8 threshold, uint256 who) internal {
        bytes32 digest =
            membersDigest(COMMUNITY, newMembers, threshold, payees.communityNonce(COMMUNITY), block.timestamp);
        payees.changeMembers(COMMUNITY, newMembers, threshold, block.timestamp, signatures(digest, who));
    }
}
