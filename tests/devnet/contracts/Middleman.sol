// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

interface IRouter {
    function swapExactETHForTokens(
        uint256 least, address[] calldata path, address to, uint256 deadline
    ) external payable returns (uint256[] memory);
}

/// A router that nobody knows: it hides behind masked words where it goes.
contract Middleman {
    event Note(uint256 number);

    error Closed(uint256 until);

    uint256 private constant MASK = uint256(keccak256("mask"));

    /// Trade what is sent along at a V2 router; it notes something before, in between and after,
    /// and what it notes in a call that fails does not count.
    function trade(uint256 router, uint256 tokenIn, uint256 tokenOut) external payable {
        emit Note(1);
        try this.fail() {} catch {}
        emit Note(2);
        address[] memory path = new address[](2);
        path[0] = address(uint160(tokenIn ^ MASK));
        path[1] = address(uint160(tokenOut ^ MASK));
        IRouter(address(uint160(router ^ MASK))).swapExactETHForTokens{value: msg.value}(
            0, path, msg.sender, block.timestamp
        );
        emit Note(3);
    }

    function fail() external {
        emit Note(0);
        revert("no");
    }

    function panic(uint256 by) external pure returns (uint256) {
        return 1 / by;
    }

    function close() external pure {
        revert Closed(7);
    }

    function spin() external pure {
        while (true) {}
    }
}
