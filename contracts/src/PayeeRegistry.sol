// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title Who is behind a payee id, and how that changes without anybody losing money
/// @notice A payee id is a salted hash; nothing personal is here. The registrar binds an id to an account once and can
/// never change it. The holder may rotate to another account; where the holder's key is lost, m of the n members of the
/// payee's community may. Either takes effect after a delay. The holder may veto the community within it, unless all n
/// members signed: m members cannot take from a holder who objects, and a thief with the holder's key cannot stop all n.
/// So that m members cannot first vote the others out, a community whose members were ever changed by fewer than all of
/// them keeps its power to rotate but not the power over the veto. Holder and community sign with nonces of their own:
/// neither can make the other's signatures stale by acting first.
///
/// Signatures are EIP-712 with nonce and deadline; accounts that are contracts sign by ERC-1271.
contract PayeeRegistry is AccessControl, EIP712 {
    bytes32 public constant REGISTRAR_ROLE = keccak256("REGISTRAR_ROLE");
    bytes32 public constant ROTATION_TYPEHASH =
        keccak256("Rotation(bytes32 payeeId,address newAccount,uint256 nonce,uint256 deadline)");
    bytes32 public constant COMMUNITY_ROTATION_TYPEHASH = keccak256(
        "CommunityRotation(bytes32 payeeId,address account,address newAccount,uint256 nonce,uint256 deadline)"
    );
    bytes32 public constant CANCEL_TYPEHASH = keccak256("Cancel(bytes32 payeeId,uint256 nonce,uint256 deadline)");
    bytes32 public constant MEMBERS_TYPEHASH =
        keccak256("Members(uint32 community,address[] members,uint8 threshold,uint256 nonce,uint256 deadline)");
    uint256 private constant ROW_BYTES = 56;
    uint256 private constant MAX_MEMBERS = 32;

    /// @param account Where the payee's money goes.
    /// @param community Community whose members may rotate for the payee; 0 for none.
    /// @param isHeld Whether its money is held back, because its community asks to rotate.
    /// @param openSince When it was last held back no longer, in seconds; 0 where it never was.
    struct Payee {
        address account;
        uint32 community;
        bool isHeld;
        uint48 openSince;
    }

    /// @param newAccount Where the money will go.
    /// @param readyAt First second at which the rotation may be completed; 0 where none is pending.
    /// @param byCommunity Whether the community asked for it.
    /// @param unanimous Whether all its members did, of a community that is not split: then the holder has no veto.
    struct Rotation {
        address newAccount;
        uint64 readyAt;
        bool byCommunity;
        bool unanimous;
    }

    /// @param members Accounts that sign for the community.
    /// @param threshold How many of them must.
    /// @param fund Payee id of the community's fund.
    /// @param nonce Counts changes of members.
    /// @param isSplit Whether members were ever changed by fewer than all of them: for good without power over the veto.
    struct Community {
        address[] members;
        bytes32 fund;
        uint8 threshold;
        uint64 nonce;
        bool isSplit;
    }

    /// @notice Seconds between asking for a rotation and its completion.
    uint64 public immutable rotationDelay;
    /// @notice Rotations asked for and withdrawn by the holder so far: the nonce of the holder's next signature.
    mapping(bytes32 payeeId => uint256 nonce) public nonceOf;
    /// @notice Rotations asked for by the payee's community so far: the nonce of its members' next signatures.
    mapping(bytes32 payeeId => uint256 nonce) public communityRequestsOf;
    /// @notice What is pending.
    mapping(bytes32 payeeId => Rotation rotation) public rotationOf;
    mapping(bytes32 payeeId => Payee payee) private _payees;
    mapping(uint32 community => Community body) private _communities;

    event PayeeRegistered(bytes32 indexed payeeId, address indexed account, uint32 indexed community);
    event CommunityCreated(uint32 indexed community, address[] members, uint8 threshold, bytes32 fund);
    event MembersChanged(uint32 indexed community, address[] members, uint8 threshold, bool splits);
    event RotationRequested(
        bytes32 indexed payeeId, address indexed newAccount, uint256 readyAt, bool byCommunity, bool unanimous
    );
    event RotationCancelled(bytes32 indexed payeeId, address indexed newAccount);
    event RotationCompleted(bytes32 indexed payeeId, address indexed oldAccount, address indexed newAccount);

    error WrongLength(uint256 bytesGiven);
    error PayeeExists(bytes32 payeeId);
    error UnknownPayee(bytes32 payeeId);
    error ZeroAccount();
    error CommunityExists(uint32 community);
    error UnknownCommunity(uint32 community);
    error WrongThreshold(uint256 threshold, uint256 numMembers);
    error MemberTwice(address member);
    error SignatureExpired(uint256 deadline);
    error WrongSignature(bytes32 digest);
    error TooFewSignatures(uint256 needed, uint256 given);
    error RotationPending(bytes32 payeeId);
    error NoRotation(bytes32 payeeId);
    error NoVeto(bytes32 payeeId);
    error RotationNotReady(uint256 readyAt);

    modifier inTime(uint256 deadline) {
        if (block.timestamp > deadline) revert SignatureExpired(deadline);
        _;
    }

    /// @param admin Grants and revokes roles.
    /// @param registrar Enters payees and communities.
    /// @param rotationDelay_ Seconds between asking for a rotation and its completion.
    constructor(address admin, address registrar, uint64 rotationDelay_) EIP712("heritage PayeeRegistry", "1") {
        rotationDelay = rotationDelay_;
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(REGISTRAR_ROLE, registrar);
    }

    /// @notice Bind payee ids to accounts, each once and for all; only a rotation changes a binding.
    /// @param packed Rows of payee id (32 bytes), account (20), community (4, big-endian; 0 for none).
    function registerPayees(bytes calldata packed) external onlyRole(REGISTRAR_ROLE) {
        if (packed.length % ROW_BYTES != 0) revert WrongLength(packed.length);
        for (uint256 offset = 0; offset < packed.length; offset += ROW_BYTES) {
            bytes32 payeeId = bytes32(packed[offset:offset + 32]);
            address account = address(bytes20(packed[offset + 32:offset + 52]));
            uint32 community = uint32(bytes4(packed[offset + 52:offset + ROW_BYTES]));
            if (account == address(0)) revert ZeroAccount();
            if (_payees[payeeId].account != address(0)) revert PayeeExists(payeeId);
            // Otherwise whoever creates the community later would have power over payees who are there already.
            if (community != 0 && _communities[community].threshold == 0) revert UnknownCommunity(community);
            _payees[payeeId] = Payee(account, community, false, 0);
            emit PayeeRegistered(payeeId, account, community);
        }
    }

    /// @notice Enter a community once; afterwards only its own members change it.
    /// @param community Number, not 0.
    /// @param members Accounts that sign for it, each once.
    /// @param threshold How many of them must.
    /// @param fund Payee id of its fund, to which members' expired balances go.
    function createCommunity(uint32 community, address[] calldata members, uint8 threshold, bytes32 fund)
        external
        onlyRole(REGISTRAR_ROLE)
    {
        if (community == 0) revert UnknownCommunity(0);
        if (_communities[community].threshold != 0) revert CommunityExists(community);
        _setMembers(community, members, threshold);
        _communities[community].fund = fund;
        emit CommunityCreated(community, members, threshold, fund);
    }

    /// @notice Change who signs for a community, by its present members. If fewer than all sign, the community loses its
    /// power over the holders' veto for good.
    /// @param community Number.
    /// @param members New members, each once.
    /// @param threshold How many of them must sign.
    /// @param deadline Last second at which the signatures count.
    /// @param signatures One for each present member in order; empty where a member did not sign.
    function changeMembers(
        uint32 community,
        address[] calldata members,
        uint8 threshold,
        uint256 deadline,
        bytes[] calldata signatures
    ) external inTime(deadline) {
        uint64 nonce = _communities[community].nonce;
        bytes32 membersHash = keccak256(abi.encodePacked(members));
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(MEMBERS_TYPEHASH, community, membersHash, threshold, nonce, deadline))
        );
        bool splits = requireApproved(community, digest, signatures) < signatures.length;
        if (splits) _communities[community].isSplit = true;
        _communities[community].nonce = nonce + 1;
        _setMembers(community, members, threshold);
        emit MembersChanged(community, members, threshold, splits);
    }

    /// @notice Ask, as the holder, that a payee's money go to another account.
    /// @param payeeId Salted hash of the payee.
    /// @param newAccount Where it is to go.
    /// @param deadline Last second at which the signature counts.
    /// @param signature The holder's over `Rotation`; not looked at where the holder calls.
    function requestRotation(bytes32 payeeId, address newAccount, uint256 deadline, bytes calldata signature)
        external
        inTime(deadline)
    {
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(ROTATION_TYPEHASH, payeeId, newAccount, nonceOf[payeeId], deadline))
        );
        _requireHolder(payeeId, digest, signature);
        if (rotationOf[payeeId].byCommunity) revert RotationPending(payeeId);
        ++nonceOf[payeeId];
        _request(payeeId, newAccount, false, false);
    }

    /// @notice Ask, as the payee's community, that a payee's money go to another account: for a holder whose key is lost.
    /// @dev It does not displace what the holder asked for, nor what all members asked for, unless all members sign. The
    /// signatures name the account that is left: once the holder has moved, they are void.
    /// @param payeeId Salted hash of the payee.
    /// @param newAccount Where it is to go.
    /// @param deadline Last second at which the signatures count.
    /// @param signatures One for each member in order over `CommunityRotation`; empty where a member did not sign.
    function requestRotationByCommunity(
        bytes32 payeeId,
        address newAccount,
        uint256 deadline,
        bytes[] calldata signatures
    ) external inTime(deadline) {
        Payee memory payee = _payees[payeeId];
        uint256 nonce = communityRequestsOf[payeeId]++;
        bytes32 digest = _hashTypedDataV4(
            keccak256(
                abi.encode(COMMUNITY_ROTATION_TYPEHASH, payeeId, payee.account, newAccount, nonce, deadline)
            )
        );
        // One member alone is not a community that speaks with one voice.
        bool unanimous = requireApproved(payee.community, digest, signatures) == signatures.length
            && signatures.length > 1 && !_communities[payee.community].isSplit;
        Rotation storage pending = rotationOf[payeeId];
        if (pending.readyAt != 0 && !unanimous && (!pending.byCommunity || pending.unanimous)) {
            revert RotationPending(payeeId);
        }
        _payees[payeeId].isHeld = true;
        _request(payeeId, newAccount, true, unanimous);
    }

    /// @notice Withdraw, as the holder, a pending rotation: one's own, or the community's where not all members asked.
    /// @param payeeId Salted hash of the payee.
    /// @param deadline Last second at which the signature counts.
    /// @param signature The holder's over `Cancel`; not looked at where the holder calls.
    function cancelRotation(bytes32 payeeId, uint256 deadline, bytes calldata signature) external inTime(deadline) {
        bytes32 digest =
            _hashTypedDataV4(keccak256(abi.encode(CANCEL_TYPEHASH, payeeId, nonceOf[payeeId], deadline)));
        _requireHolder(payeeId, digest, signature);
        Rotation memory pending = rotationOf[payeeId];
        if (pending.readyAt == 0) revert NoRotation(payeeId);
        if (pending.unanimous) revert NoVeto(payeeId);
        ++nonceOf[payeeId];
        if (pending.byCommunity) _release(payeeId);
        delete rotationOf[payeeId];
        emit RotationCancelled(payeeId, pending.newAccount);
    }

    /// @notice Let a rotation take effect once its delay has passed. Anybody may call.
    /// @param payeeId Salted hash of the payee.
    function completeRotation(bytes32 payeeId) external {
        Rotation memory pending = rotationOf[payeeId];
        if (pending.readyAt == 0) revert NoRotation(payeeId);
        if (block.timestamp < pending.readyAt) revert RotationNotReady(pending.readyAt);
        address old = _payees[payeeId].account;
        _payees[payeeId].account = pending.newAccount;
        if (pending.byCommunity) _release(payeeId);
        delete rotationOf[payeeId];
        emit RotationCompleted(payeeId, old, pending.newAccount);
    }

    /// @notice Who holds a payee id; zero for an unknown payee.
    function accountOf(bytes32 payeeId) external view returns (address) {
        return _payees[payeeId].account;
    }

    /// @notice Whether a payee's money is held back: its community asks to rotate, so the account may be out of anybody's
    /// reach, and what were sent there now would be lost.
    function isHeld(bytes32 payeeId) external view returns (bool) {
        return _payees[payeeId].isHeld;
    }

    /// @notice When a payee's money was last held back no longer, in seconds; 0 where it never was held back.
    function openSince(bytes32 payeeId) external view returns (uint256) {
        return _payees[payeeId].openSince;
    }

    /// @notice Who holds several payee ids, in the same order.
    function accountsOf(bytes32[] calldata payeeIds) external view returns (address[] memory accounts) {
        accounts = new address[](payeeIds.length);
        for (uint256 i = 0; i < payeeIds.length; ++i) {
            accounts[i] = _payees[payeeIds[i]].account;
        }
    }

    /// @notice Where several payees' money goes now, in the same order; zero where it is held back or the payee unknown.
    function openAccountsOf(bytes32[] calldata payeeIds) external view returns (address[] memory accounts) {
        accounts = new address[](payeeIds.length);
        for (uint256 i = 0; i < payeeIds.length; ++i) {
            Payee memory payee = _payees[payeeIds[i]];
            if (!payee.isHeld) accounts[i] = payee.account;
        }
    }

    /// @notice Payee id of a community's fund; zero for an unknown community.
    function fundOf(uint32 community) external view returns (bytes32) {
        return _communities[community].fund;
    }

    /// @notice Who signs for a community, and how many of them must.
    function membersOf(uint32 community) external view returns (address[] memory members, uint8 threshold) {
        return (_communities[community].members, _communities[community].threshold);
    }

    /// @notice Whether a community's members were ever changed by fewer than all of them, so that holders can veto even
    /// what all members ask for.
    function isSplit(uint32 community) external view returns (bool) {
        return _communities[community].isSplit;
    }

    /// @notice Nonce of a community's next change of members.
    function communityNonce(uint32 community) external view returns (uint256) {
        return _communities[community].nonce;
    }

    /// @notice Community of a payee; 0 for none.
    function communityOf(bytes32 payeeId) public view returns (uint32) {
        return _payees[payeeId].community;
    }

    /// @notice Revert unless enough members of a community signed a digest.
    /// @param community Number.
    /// @param digest What they sign; the caller binds it to itself, to a nonce and to a deadline.
    /// @param signatures One for each member in order; empty where a member did not sign.
    /// @return signed How many signed.
    function requireApproved(uint32 community, bytes32 digest, bytes[] calldata signatures)
        public
        view
        returns (uint256 signed)
    {
        Community storage body = _communities[community];
        if (body.threshold == 0) revert UnknownCommunity(community);
        uint256 numMembers = body.members.length;
        if (signatures.length != numMembers) revert TooFewSignatures(numMembers, signatures.length);
        for (uint256 i = 0; i < numMembers; ++i) {
            if (signatures[i].length == 0) continue;
            if (!SignatureChecker.isValidSignatureNowCalldata(body.members[i], digest, signatures[i])) {
                revert WrongSignature(digest);
            }
            ++signed;
        }
        if (signed < body.threshold) revert TooFewSignatures(body.threshold, signed);
    }

    function _setMembers(uint32 community, address[] calldata members, uint8 threshold) private {
        if (threshold == 0 || threshold > members.length || members.length > MAX_MEMBERS) {
            revert WrongThreshold(threshold, members.length);
        }
        for (uint256 i = 0; i < members.length; ++i) {
            if (members[i] == address(0)) revert ZeroAccount();
            for (uint256 j = 0; j < i; ++j) {
                if (members[j] == members[i]) revert MemberTwice(members[i]);
            }
        }
        _communities[community].members = members;
        _communities[community].threshold = threshold;
    }

    function _request(bytes32 payeeId, address newAccount, bool byCommunity, bool unanimous) private {
        if (newAccount == address(0)) revert ZeroAccount();
        uint64 readyAt = uint64(block.timestamp) + rotationDelay;
        rotationOf[payeeId] = Rotation(newAccount, readyAt, byCommunity, unanimous);
        emit RotationRequested(payeeId, newAccount, readyAt, byCommunity, unanimous);
    }

    function _release(bytes32 payeeId) private {
        _payees[payeeId].isHeld = false;
        _payees[payeeId].openSince = uint48(block.timestamp);
    }

    function _requireHolder(bytes32 payeeId, bytes32 digest, bytes calldata signature) private view {
        address holder = _payees[payeeId].account;
        if (holder == address(0)) revert UnknownPayee(payeeId);
        if (msg.sender == holder) return;
        if (!SignatureChecker.isValidSignatureNowCalldata(holder, digest, signature)) revert WrongSignature(digest);
    }
}
