"""Aave V3 and V2, on Ethereum's main network.

Addresses: the protocol's own address book. Methods and events: the ABI of the npm package
@aave/core-v3 and of Aave V2; events of deficits: the source of aave-v3-origin.
"""

from __future__ import annotations

from collections.abc import Mapping

CHAIN_ID = 1

POOLS: Mapping[str, str] = {
    "0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2": "Aave V3 Pool",
    "0x7d2768de32b0b80b7a3454c06bdac94a69ddc7a9": "Aave V2 LendingPool",
}
"""Address in lower case to name."""

V1_POOLS: Mapping[str, str] = {
    "0x398ec7346dcd622edc5ae82352f02be94c62d119": "Aave V1 LendingPool",
}
"""Its events are others than those of the later versions; its liquidation is called the same."""

METHODS: Mapping[str, str] = {
    "0x00a718a9": "liquidationCall(address,address,address,uint256,bool)",
    "0x617ba037": "supply(address,uint256,address,uint16)",
    "0x02c205f0": (
        "supplyWithPermit(address,uint256,address,uint16,uint256,uint8,bytes32,bytes32)"
    ),
    "0x69328dec": "withdraw(address,uint256,address)",
    "0xa415bcad": "borrow(address,uint256,uint256,uint16,address)",
    "0x573ade81": "repay(address,uint256,uint256,address)",
    "0xee3e210b": (
        "repayWithPermit(address,uint256,uint256,address,uint256,uint8,bytes32,bytes32)"
    ),
    "0x2dad97d4": "repayWithATokens(address,uint256,uint256)",
    "0x5a3b74b9": "setUserUseReserveAsCollateral(address,bool)",
    "0x28530a47": "setUserEMode(uint8)",
    "0x94ba89a2": "swapBorrowRateMode(address,uint256)",
    "0xab9c4b5d": "flashLoan(address,address[],uint256[],uint256[],address,bytes,uint16)",
    "0x42b0b77c": "flashLoanSimple(address,address,uint256,bytes,uint16)",
    "0xe8eda9df": "deposit(address,uint256,address,uint16)",
}
"""Selector to signature."""

EVENTS: Mapping[str, str] = {
    "0xe413a321e8681d831f4dbccbca790d2952b56f977908e45be37335533e005286": (
        "LiquidationCall(address*,address*,address*,uint256,uint256,address,bool)"
    ),
    "0x2b627736bca15cd5381dcf80b0bf11fd197d01a037c52b927a881a10fb73ba61": (
        "Supply(address*,address,address*,uint256,uint16*)"
    ),
    "0x3115d1449a7b732c986cba18244e897a450f61e1bb8d589cd2e69e6c8924f9f7": (
        "Withdraw(address*,address*,address*,uint256)"
    ),
    "0xb3d084820fb1a9decffb176436bd02558d15fac9b0ddfed8c465bc7359d7dce0": (
        "Borrow(address*,address,address*,uint256,uint8,uint256,uint16*)"
    ),
    "0xa534c8dbe71f871f9f3530e97a74601fea17b426cae02e1c5aee42c96c784051": (
        "Repay(address*,address*,address*,uint256,bool)"
    ),
    "0x00058a56ea94653cdf4f152d227ace22d4c00ad99e2a43f58cb7d9e3feb295f2": (
        "ReserveUsedAsCollateralEnabled(address*,address*)"
    ),
    "0x44c58d81365b66dd4b1a7f36c25aa97b8c71c361ee4937adc1a00000227db5dd": (
        "ReserveUsedAsCollateralDisabled(address*,address*)"
    ),
    "0xd728da875fc88944cbf17638bcbe4af0eedaef63becd1d1c57cc097eb4608d84": (
        "UserEModeSet(address*,uint8)"
    ),
    "0x804c9b842b2748a22bb64b345453a3de7ca54a6ca45ce00d415894979e22897a": (
        "ReserveDataUpdated(address*,uint256,uint256,uint256,uint256,uint256)"
    ),
    "0xefefaba5e921573100900a3ad9cf29f222d995fb3b6045797eaea7521bd8d6f0": (
        "FlashLoan(address*,address,address*,uint256,uint8,uint256,uint16*)"
    ),
    "0xbfa21aa5d5f9a1f0120a95e7c0749f389863cbdbfff531aa7339077a5bc919de": (
        "MintedToTreasury(address*,uint256)"
    ),
    "0x7962b394d85a534033ba2efcf43cd36de57b7ebeb3de0ca4428965d9b3ddc481": (
        "SwapBorrowRateMode(address*,address*,uint8)"
    ),
    "0x9f439ae0c81e41a04d3fdfe07aed54e6a179fb0db15be7702eb66fa8ef6f5300": (
        "RebalanceStableBorrowRate(address*,address*)"
    ),
    "0xaef84d3b40895fd58c561f3998000f0583abb992a52fbdc99ace8e8de4d676a5": (
        "IsolationModeTotalDebtUpdated(address*,uint256)"
    ),
    "0x2bccfb3fad376d59d7accf970515eb77b2f27b082c90ed0fb15583dd5a942699": (
        "DeficitCreated(address*,address*,uint256)"
    ),
    "0x84b203e49f1a4b553088061534231969a68ad1c81be192205e96d23a206cb26a": (
        "DeficitCovered(address*,address,uint256)"
    ),
}
"""First topic to signature; what is indexed has a star."""

TOKEN_EVENTS: Mapping[str, str] = {
    "0x4beccb90f994c31aced7a23b5611020728a23d8ec5cddd1a3e9d97b96fda8666": (
        "BalanceTransfer(address*,address*,uint256,uint256)"
    ),
    "0x458f5fa412d0f69b08dd84872b0215675cc67bc1d5b6fd93300a1c3878b86196": (
        "Mint(address*,address*,uint256,uint256,uint256)"
    ),
    "0x4cf25bc1d991c17529c25213d3cc0cda295eeaad5f13f361969b12ea48015f90": (
        "Burn(address*,address*,uint256,uint256,uint256)"
    ),
}

CONFIGURATION_EVENTS: Mapping[str, str] = {
    "0xa76f65411ec66a7fb6bc467432eb14767900449ae4469fa295e4441fe5e1cb73": (
        "ATokenUpgraded(address*,address*,address*)"
    ),
    "0x60087ca045be9d8d1301445e67d6248eddba97629c80284fa4910c0e52f103ab": (
        "AssetBorrowableInEModeChanged(address*,uint8,bool)"
    ),
    "0x79409190108b26fcb0e4570f8e240f627bf18fd01a55f751010224d5bd486098": (
        "AssetCollateralInEModeChanged(address*,uint8,bool)"
    ),
    "0x22c5b7b2d8561d39f7f210b6b326a1aa69f15311163082308ac4877db6339dc1": (
        "AssetSourceUpdated(address*,address*)"
    ),
    "0xe27c4c1372396a3d15a9922f74f9dfc7c72b1ad6d63868470787249c356454c1": (
        "BaseCurrencySet(address*,uint256)"
    ),
    "0x637febbda9275aea2e85c0ff690444c8d87eb2e8339bbede9715abcc89cb0995": (
        "CollateralConfigurationChanged(address*,uint256,uint256,uint256)"
    ),
    "0x5bb69795b6a2ea222d73a5f8939c23471a1f85a99c7ca43c207f1b71f10c6264": (
        "EModeAssetCategoryChanged(address*,uint8,uint8)"
    ),
    "0x0acf8b4a3cace10779798a89a206a0ae73a71b63acdd3be2801d39c2ef7ab3cb": (
        "EModeCategoryAdded(uint8*,uint256,uint256,uint256,address,string)"
    ),
    "0xce7a780d33665b1ea097af5f155e3821b809ecbaa839d3b33aa83ba28168cefb": (
        "FallbackOracleUpdated(address*)"
    ),
    "0xdf4f96448786bcd6fecc9f1fa25f1fbbbee6a5c9e76d635a615ac57bb5983d10": (
        "LiquidationGracePeriodChanged(address*,uint40)"
    ),
    "0x1df36dc1651d06d990805068d22811a3a9ca4396190787ef59f9102e61868fff": (
        "LiquidationGracePeriodDisabled(address*)"
    ),
    "0xb5b0a963825337808b6e3154de8e98027595a5cad4219bb3a9bc55b192f4b391": (
        "LiquidationProtocolFeeChanged(address*,uint256,uint256)"
    ),
    "0x8932892569eba59c8382a089d9b732d1f49272878775235761a2a6b0309cd465": (
        "PoolConfiguratorUpdated(address*,address*)"
    ),
    "0x5326514eeca90494a14bedabcff812a0e683029ee85d1e23824d44fd14cd6ae7": (
        "PriceOracleSentinelUpdated(address*,address*)"
    ),
    "0x56b5f80d8cac1479698aa7d01605fd6111e90b15fc4d2b377417f46034876cbd": (
        "PriceOracleUpdated(address*,address*)"
    ),
    "0xc36c7d11ba01a5869d52aa4a3781939dab851cbc9ee6e7fdcedc7d58898a3f1e": (
        "ReserveActive(address*,bool)"
    ),
    "0xeeec4c06f7adad215cbdb4d2960896c83c26aedce02dde76d36fa28588d62da4": (
        "ReserveDropped(address*)"
    ),
    "0xb46e2b82b0c2cf3d7d9dece53635e165c53e0eaa7a44f904d61a2b7174826aef": (
        "ReserveFactorChanged(address*,uint256,uint256)"
    ),
    "0x0c4443d258a350d27dc50c378b2ebf165e6469725f786d21b30cab16823f5587": (
        "ReserveFrozen(address*,bool)"
    ),
    "0x3a0ca721fc364424566385a1aa271ed508cc2c0949c2272575fb3013a163a45f": (
        "ReserveInitialized(address*,address*,address,address,address)"
    ),
    "0x1e608c2c753fede2f1f22fca4170277b53ebe5015e488a53414a8921446b7c40": (
        "ReserveInterestRateDataChanged(address*,address*,bytes)"
    ),
    "0xe188d542a5f11925d3a3af33703cdd30a43cb3e8066a3cf68b1b57f61a5a94b5": (
        "ReservePaused(address*,bool)"
    ),
    "0xbc7cd75a20ee27fd9adebab32041f755214dbc6bffa90cc0225b39da2e5c2d3b": ("Upgraded(address*)"),
    "0x9439658a562a5c46b1173589df89cf001483d685bad28aedaff4a88656292d81": (
        "VariableDebtTokenUpgraded(address*,address*,address*)"
    ),
}
"""Of version 3's configurator, oracle, provider and proxies, those after which a position may be
worth something else, as the interfaces of @aave/core-v3 and aave-v3-origin 3.6 have them."""

EVENTS_V2: Mapping[str, str] = {
    "0xe413a321e8681d831f4dbccbca790d2952b56f977908e45be37335533e005286": (
        "LiquidationCall(address*,address*,address*,uint256,uint256,address,bool)"
    ),
    "0xde6857219544bb5b7746f48ed30be6386fefc61b2f864cacf559893bf50fd951": (
        "Deposit(address*,address,address*,uint256,uint16*)"
    ),
    "0x3115d1449a7b732c986cba18244e897a450f61e1bb8d589cd2e69e6c8924f9f7": (
        "Withdraw(address*,address*,address*,uint256)"
    ),
    "0xc6a898309e823ee50bac64e45ca8adba6690e99e7841c45d754e2a38e9019d9b": (
        "Borrow(address*,address,address*,uint256,uint256,uint256,uint16*)"
    ),
    "0x4cdde6e09bb755c9a5589ebaec640bbfedff1362d4b255ebf8339782b9942faa": (
        "Repay(address*,address*,address*,uint256)"
    ),
    "0x631042c832b07452973831137f2d73e395028b44b250dedc5abb0ee766e168ac": (
        "FlashLoan(address*,address*,address*,uint256,uint256,uint16)"
    ),
    "0xea368a40e9570069bb8e6511d668293ad2e1f03b0d982431fd223de9f3b70ca6": (
        "Swap(address*,address*,uint256)"
    ),
    "0x804c9b842b2748a22bb64b345453a3de7ca54a6ca45ce00d415894979e22897a": (
        "ReserveDataUpdated(address*,uint256,uint256,uint256,uint256,uint256)"
    ),
}

TOKEN_EVENTS_V2: Mapping[str, str] = {
    "0x4c209b5fc8ad50758f13e2e1088ba56a560dff690a1c6fef26394f4c03821c4f": (
        "Mint(address*,uint256,uint256)"
    ),
    "0x5d624aa9c148153ab3446c1b154f660ee7701e549fe9b62dab7171b1c80e6fa2": (
        "Burn(address*,address*,uint256,uint256)"
    ),
    "0x2f00e3cdd69a77be7ed215ec7b2a36784dd158f921fca79ac29deffa353fe6ee": (
        "Mint(address*,address*,uint256,uint256)"
    ),
    "0x49995e5dd6158cf69ad3e9777c46755a1a826a446c6416992167462dad033b2a": (
        "Burn(address*,uint256,uint256)"
    ),
}
"""Of the aTokens and variable debt tokens of version 2, as logged on the main network."""
