// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

interface IToken {
    function balanceOf(address owner) external view returns (uint256);
    function transfer(address to, uint256 value) external returns (bool);
}

interface IPair {
    function token0() external view returns (address);
    function swap(uint256 amount0, uint256 amount1, address to, bytes calldata data) external;
}

interface IPool {
    function token0() external view returns (address);
    function swap(address recipient, bool down, int256 amount, uint160 limit, bytes calldata data)
        external
        returns (int256 amount0, int256 amount1);
}

/// A searcher's contract: it swaps at pools directly, leg after leg, with what it holds.
contract Executor {
    struct Leg {
        address pool;
        bool concentrated;
        address tokenIn;
        // Of the first leg; 0 in a later one means what the leg before it gave.
        uint256 amountIn;
        // Of a constant-product pair; a concentrated pool computes its own.
        uint256 amountOut;
    }

    /// Swap along the legs; revert unless the last one gives at least this much.
    /// The block's producer is paid what is sent along.
    function run(Leg[] calldata legs, uint256 least) external payable {
        uint256 carried = 0;
        for (uint256 i = 0; i < legs.length; i++) {
            uint256 amount = legs[i].amountIn == 0 ? carried : legs[i].amountIn;
            carried = legs[i].concentrated ? deep(legs[i], amount) : flat(legs[i], amount);
        }
        require(carried >= least, "too little");
        if (msg.value > 0) {
            (bool paid, ) = block.coinbase.call{value: msg.value}("");
            require(paid, "not paid");
        }
    }

    function flat(Leg calldata leg, uint256 amount) private returns (uint256) {
        bool down = leg.tokenIn == IPair(leg.pool).token0();
        IToken(leg.tokenIn).transfer(leg.pool, amount);
        (uint256 out0, uint256 out1) = down ? (uint256(0), leg.amountOut) : (leg.amountOut, uint256(0));
        IPair(leg.pool).swap(out0, out1, address(this), "");
        return leg.amountOut;
    }

    function deep(Leg calldata leg, uint256 amount) private returns (uint256) {
        bool down = leg.tokenIn == IPool(leg.pool).token0();
        uint160 limit = down ? 4295128740 : 1461446703485210103287273052203988822378723970341;
        (int256 amount0, int256 amount1) = IPool(leg.pool).swap(
            address(this), down, int256(amount), limit, abi.encode(leg.tokenIn)
        );
        return uint256(-(down ? amount1 : amount0));
    }

    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata data) external {
        address token = abi.decode(data, (address));
        IToken(token).transfer(msg.sender, uint256(amount0 > 0 ? amount0 : amount1));
    }
}
