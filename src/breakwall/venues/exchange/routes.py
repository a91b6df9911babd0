"""The endpoints of the exchange as data, and the operations of its trade socket."""

from breakwall.venues.exchange import account_routes, market_routes, position_routes, trading_routes
from breakwall.venues.exchange.desk import Route

ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/v5/market/time"): Route(market_routes.server_time),
    ("GET", "/v5/market/instruments-info"): Route(market_routes.instruments_info),
    ("GET", "/v5/market/tickers"): Route(market_routes.tickers),
    ("GET", "/v5/market/orderbook"): Route(market_routes.orderbook),
    ("GET", "/v5/market/recent-trade"): Route(market_routes.recent_trade),
    ("GET", "/v5/market/kline"): Route(market_routes.kline),
    ("GET", "/v5/market/risk-limit"): Route(market_routes.risk_limit),
    ("GET", "/v5/market/funding/history"): Route(market_routes.funding_history),
    ("GET", "/v5/market/price-limit"): Route(market_routes.price_limit),
    ("GET", "/v5/system/status"): Route(market_routes.system_status),
    ("POST", "/v5/order/create"): Route(trading_routes.create, 10),
    ("POST", "/v5/order/amend"): Route(trading_routes.amend, 10),
    ("POST", "/v5/order/cancel"): Route(trading_routes.cancel, 10),
    ("POST", "/v5/order/cancel-all"): Route(trading_routes.cancel_all, 10),
    ("POST", "/v5/order/create-batch"): Route(trading_routes.create_dated, 10, batch=True),
    ("POST", "/v5/order/amend-batch"): Route(trading_routes.amend, 10, batch=True),
    ("POST", "/v5/order/cancel-batch"): Route(trading_routes.cancel, 10, batch=True),
    ("GET", "/v5/order/realtime"): Route(trading_routes.realtime, 50),
    ("GET", "/v5/order/history"): Route(trading_routes.history, 50),
    ("GET", "/v5/execution/list"): Route(trading_routes.executions, 50),
    ("GET", "/v5/position/list"): Route(position_routes.position_list, 50),
    ("GET", "/v5/position/closed-pnl"): Route(position_routes.closed_pnl, 50),
    ("POST", "/v5/position/trading-stop"): Route(position_routes.trading_stop, 10),
    ("POST", "/v5/position/set-leverage"): Route(position_routes.set_leverage, 10),
    ("POST", "/v5/position/switch-mode"): Route(position_routes.switch_mode, 10),
    ("GET", "/v5/position/symbol-info"): Route(position_routes.symbol_info, 50),
    ("POST", "/v5/position/switch-isolated"): Route(position_routes.switch_isolated, 10),
    ("POST", "/v5/position/add-margin"): Route(position_routes.add_margin, 10),
    ("POST", "/v5/position/set-auto-add-margin"): Route(position_routes.set_auto_add_margin, 10),
    ("POST", "/v5/position/set-tpsl-mode"): Route(position_routes.set_tpsl_mode, 10),
    ("POST", "/v5/position/set-risk-limit"): Route(position_routes.set_risk_limit, 10),
    ("POST", "/v5/position/confirm-pending-mmr"): Route(position_routes.confirm_pending_mmr, 10),
    ("POST", "/v5/account/set-margin-mode"): Route(account_routes.set_margin_mode, 5),
    ("POST", "/v5/account/set-limit-px-action"): Route(account_routes.set_limit_px_action, 10),
    ("GET", "/v5/account/info"): Route(account_routes.account_info, 50),
    ("GET", "/v5/account/wallet-balance"): Route(account_routes.wallet_balance, 50),
    ("GET", "/v5/account/fee-rate"): Route(account_routes.fee_rate, 5),
    ("GET", "/v5/account/transaction-log"): Route(account_routes.transaction_log, 25),
    ("GET", "/v5/account/query-dcp-info"): Route(account_routes.dcp_info, 5),
    ("GET", "/v5/account/smp-group"): Route(account_routes.smp_group, 5),
    ("GET", "/v5/account/user-setting-config"): Route(account_routes.user_setting_config, 50),
    ("GET", "/v5/account/instruments-info"): Route(market_routes.instruments_info, 10),
    ("POST", "/v5/account/demo-apply-money"): Route(account_routes.demo_apply_money, 10),
    ("POST", "/v5/order/disconnected-cancel-all"): Route(account_routes.set_dcp, 5),
    ("POST", "/v5/order/pre-check"): Route(trading_routes.pre_check, 10),
    ("GET", "/v5/asset/transfer/query-account-coins-balance"): Route(account_routes.coins_balance, 5),
    ("GET", "/v5/user/query-api"): Route(account_routes.query_api, 10),
    ("GET", "/v5/asset/coin/query-info"): Route(account_routes.coin_info, 5),
}

OPERATIONS: dict[str, str] = {
    f"order.{name}": f"/v5/order/{name}"
    for name in ("create", "amend", "cancel", "create-batch", "amend-batch", "cancel-batch")
}
"""What the trade socket does, by the path that does the same over REST."""
