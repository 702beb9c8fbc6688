// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm, VM} from "./Vm.sol";

/// @title What every test contract starts from
/// @notice forge runs the functions called `test*`, gives those with arguments fuzzed ones, and, in a contract that names
/// its `targetContracts`, calls these in random order and checks every `invariant_*` after each call.
abstract contract Test {
    /// @dev Tells forge that this is a test.
    bool public constant IS_TEST = true;

    /// @notice A contract and those of its functions that forge may call in an invariant run.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Vm internal constant vm = VM;

    /// @notice An address of nobody else's, with a name in traces.
    function account(string memory name) internal returns (address who) {
        (who,) = accountAndKey(name);
    }

    /// @notice An address and the private key that signs for it.
    function accountAndKey(string memory name) internal returns (address who, uint256 key) {
        key = uint256(keccak256(bytes(name)));
        who = vm.addr(key);
        vm.label(who, name);
    }

    /// @notice A fuzzed number brought into `least ... most`, both included; numbers inside stay as they are.
    function between(uint256 number, uint256 least, uint256 most) internal pure returns (uint256) {
        if (number >= least && number <= most) return number;
        uint256 span = most - least;
        return span == type(uint256).max ? number : least + number % (span + 1);
    }

    /// @notice An ECDSA signature in the 65 bytes r, s, v that OpenZeppelin's `ECDSA` reads.
    function signed(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @notice The same signature's twin on the other half of the curve: just as valid to the precompile, and refused by
    /// whoever guards against malleability.
    function malleable(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27));
    }

    /// @notice The digest of a typed struct (EIP-712) under a contract's own domain (EIP-5267).
    function typedDigest(address verifyingContract, bytes32 structHash) internal view returns (bytes32) {
        (, string memory name, string memory version, uint256 chain, address where,,) =
            IEIP5267(verifyingContract).eip712Domain();
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name)),
                keccak256(bytes(version)),
                chain,
                where
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}

interface IEIP5267 {
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        );
}
