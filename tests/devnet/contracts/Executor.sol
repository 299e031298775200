// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

interface IToken {
    function transfer(address to, uint256 value) external returns (bool);
}

interface IPair {
    function token0() external view returns (address);
    function getReserves() external view returns (uint112, uint112, uint32);
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
        // Paid in; 0 in a later leg means what the leg before it gave.
        uint256 amountIn;
        // If not 0: wanted out, whatever has to be paid.
        uint256 amountOut;
    }

    /// Swap along the legs; revert unless the last one gives at least this much.
    /// What is sent along goes to the block's producer.
    function run(Leg[] calldata legs, uint256 least)
        external
        payable
        returns (uint256 paid, uint256 got)
    {
        for (uint256 i = 0; i < legs.length; i++) {
            uint256 amount = legs[i].amountIn == 0 ? got : legs[i].amountIn;
            uint256 used;
            (used, got) = legs[i].concentrated ? deep(legs[i], amount) : flat(legs[i], amount);
            if (i == 0) {
                paid = used;
            }
        }
        require(got >= least, "too little");
        if (msg.value > 0) {
            (bool done, ) = block.coinbase.call{value: msg.value}("");
            require(done, "not paid");
        }
    }

    function flat(Leg calldata leg, uint256 amount) private returns (uint256, uint256) {
        bool down = leg.tokenIn == IPair(leg.pool).token0();
        (uint256 a, uint256 b, ) = IPair(leg.pool).getReserves();
        (uint256 inside, uint256 outside) = down ? (a, b) : (b, a);
        uint256 out = leg.amountOut;
        if (out == 0) {
            out = (amount * 997 * outside) / (inside * 1000 + amount * 997);
        } else {
            amount = (inside * out * 1000) / ((outside - out) * 997) + 1;
        }
        IToken(leg.tokenIn).transfer(leg.pool, amount);
        IPair(leg.pool).swap(down ? 0 : out, down ? out : 0, address(this), "");
        return (amount, out);
    }

    function deep(Leg calldata leg, uint256 amount) private returns (uint256, uint256) {
        bool down = leg.tokenIn == IPool(leg.pool).token0();
        uint160 limit = down ? 4295128740 : 1461446703485210103287273052203988822378723970341;
        int256 wanted = leg.amountOut == 0 ? int256(amount) : -int256(leg.amountOut);
        (int256 amount0, int256 amount1) = IPool(leg.pool).swap(
            address(this), down, wanted, limit, abi.encode(leg.tokenIn)
        );
        return down
            ? (uint256(amount0), uint256(-amount1))
            : (uint256(amount1), uint256(-amount0));
    }

    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata data) external {
        address token = abi.decode(data, (address));
        IToken(token).transfer(msg.sender, uint256(amount0 > 0 ? amount0 : amount1));
    }
}
