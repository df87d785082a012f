### 收银台上的全部文字（简体中文）。键名规则见 en.ftl 开头；两个文件的键和变量必须一致。

## 名称

app-name = Scantill
app-tagline = 扫码收款
language-en = English
language-zh-cn = 简体中文

channel-alipay = 支付宝
channel-wechatpay = 微信支付
channel-unionpay = 银联
channel-bank-transfer = 银行转账
channel-other = 其他
channel-alipay-short = 支付宝
channel-wechatpay-short = 微信
channel-unionpay-short = 银联
channel-bank-transfer-short = 转账

way-merchant-presented = 顾客扫我们的码
way-consumer-presented = 我们扫顾客的付款码
way-merchant-presented-short = 主扫
way-consumer-presented-short = 被扫

## 通用

common-ok = 好
common-cancel = 取消
common-close = 关闭
common-back = 返回
common-save = 保存
common-retry = 重试
common-copy = 复制
common-copied = 已复制
common-search = 查找
common-clear = 清除
common-delete = 删除
common-enter = 确认
common-on = 开
common-off = 关
common-yes = 是
common-no = 否
common-loading = 正在读取…
common-none = 无
common-unknown = 未知
common-total = 合计
common-amount = 金额
common-channel = 渠道
common-time = 时间
common-state = 状态
common-today = 今天
common-yesterday = 昨天
common-date = 日期
common-seconds = { $seconds } 秒
common-seconds-left = 剩 { $seconds } 秒
common-minutes-left = 剩 { $minutes } 分钟
common-no-real-money = 不动真钱
common-open = 打开
common-more = 更多

## 顶栏和底栏

bar-till = { $till } 号收银台
bar-online = 在线
bar-offline = 离线
bar-connecting = 连接中
bar-training = 练习模式：不动真钱
bar-training-short = 练习
bar-training-hint = 还没有设置商户账户，这里的一切都不动真钱。
bar-today = 今天 { $total } · { $count } 笔
bar-keys = F1 按键
bar-sales = F2 交易
bar-takings = F3 营业额
bar-refund = F4 退款
bar-settings = F8 设置
bar-lock = F9 锁定
bar-phone = F6 练习手机
bar-display = F7 顾客屏
bar-theme-light = 浅色
bar-theme-dark = 深色

## 收银：输入金额

cashier-amount = 收款金额
cashier-amount-hint = 输入金额，然后按回车
cashier-note = 备注
cashier-note-placeholder = 商品或备注（可不填）
cashier-note-add = 添加备注
cashier-collect = 收款
cashier-collect-amount = 收款 { $amount }
cashier-next-sale = 下一笔
cashier-recent = 最近交易
cashier-recent-empty = 今天还没有交易。最近的交易会列在这里。
cashier-recent-all = 全部交易
cashier-new-sale-hint = 直接输入下一笔金额即可
cashier-scan-first = 请先输入金额，再请顾客出示付款码。
cashier-starting = 正在启动…
cashier-starting-hint = 马上就可以收款。
cashier-resumed = 之前有一笔 { $amount } 没有结束，正在查明结果。

keypad-clear = C
keypad-backspace = 退格
keypad-double-zero = 00
keypad-point = .

amount-malformed = 这不是金额。请输入数字，最多一个小数点，例如 12.50。
amount-too-many-decimals = { $allowed ->
    [0] 该币种没有小数。
   *[other] 金额最多 { $allowed } 位小数，例如 12.50。
}
amount-not-positive = 金额必须大于零。
amount-too-large = 金额太大。一笔最多 { $amount }。

## 收银：收款中

collect-title = 正在收款
collect-waiting = 等待顾客付款
collect-either-way = 顾客扫屏幕上的码，或向摄像头出示付款码。
collect-show-code-hint = 请顾客出示付款码，或扫顾客屏上的码。
collect-type-code = 手工输入付款码
collect-type-code-hint = 16 到 24 位数字，然后按回车
collect-type-code-submit = 使用这个码
collect-cancel = 取消
collect-cancel-hint = 按 Esc 取消
collect-time-left = 剩 { $seconds } 秒
collect-code-renews = { $seconds } 秒后换新码
collect-code-read = 已读到付款码，正在询问{ $channel }。
collect-preparing-code = 正在向{ $channel }取码
collect-code-failed = { $channel }没有给码。请改扫顾客的付款码。
collect-no-channel = 没有可用的渠道。请告诉店长。
collect-channel-awaits-scan = { $channel }：还没有人扫码
collect-channel-closing = { $channel }：正在关闭另一个码
collect-channel-closed = { $channel }：已关闭

pending-submitting = 正在发给{ $channel }
pending-submitting-next = 请稍等。
pending-awaiting-scan = 等待扫码
pending-awaiting-scan-next = 顾客扫屏幕上的码，或向摄像头出示付款码。
pending-customer-confirming = 顾客正在手机上确认
pending-customer-confirming-next = 请顾客输入密码或确认。不要再次收款。
pending-result-unknown = 正在向{ $channel }查询顾客是否已付款。请先不要再次收款。
pending-result-unknown-next = 如果没有答复，会自动撤销，顾客不会被扣款。
pending-closing-others = 钱已收到，正在关闭其他付款方式。
pending-closing-others-next = 请稍等。
pending-reversing = 正在撤销付款
pending-reversing-next = 请等{ $channel }确认。请先不要再次收款。
pending-submitting-short = 发送中
pending-awaiting-scan-short = 等待扫码
pending-customer-confirming-short = 确认中
pending-result-unknown-short = 结果未知
pending-closing-others-short = 关闭中
pending-reversing-short = 撤销中

## 取消：先问渠道

cancel-asking = 还没有取消，正在先询问{ $channel }。
cancel-asking-hint = 顾客可能正好在这一刻付了款。
cancel-done = 没有收款。本笔已取消。
cancel-done-hint = 没有扣顾客的钱。
cancel-was-paid = 已收款，顾客正好付了款。本笔有效。
cancel-was-paid-hint = 取消到达之前{ $channel }已经扣款。要还给顾客，请退款。
cancel-reversed = 没有收款。钱已退回顾客。
cancel-reversed-hint = { $channel }已退回 { $amount }。
cancel-unknown = 还不确定是否已付款，正在再次询问{ $channel }。
cancel-unknown-hint = 请先不要再次收款。可以继续下一笔，本笔仍在列表中。
cancel-too-late = 本笔已经结束，没有可取消的。

## 结果

state-created = 未开始
state-pending = 进行中
state-succeeded = 已收款
state-failed = 没有收款
state-closed = 已取消
state-reversed = 已撤销
state-partially-refunded = 部分退款
state-refunded = 已退款
state-unknown = 结果未知

result-paid = 已收款
result-paid-by = { $channel }收款
result-paid-payer = 付款人 { $payer }
result-not-paid = 没有收款
result-cancelled = 已取消
result-reversed = 已撤销
result-unknown = 还不确定
result-refunded = 已退款
result-expired = 没有收款。没有人在时间内付款。
result-expired-next = 按回车重新收款。
result-closed = 没有收款。本笔已关闭，不会再扣款。
result-reversed-detail = 没有收款。已扣的钱退回顾客。
result-surplus = 顾客在同一时刻付了两次。{ $channel }的 { $amount } 会自动退回。
result-surplus-done = 第二次付的 { $amount } 已退回顾客。
result-surplus-waiting = 第二次付款正在退回，不需要您做什么。
result-attention = 请和店长一起查看这笔交易：渠道和账本说法不一致。
result-next = 按任意键开始下一笔
result-try-again = 再试一次
result-another-way = 换一种付款方式
result-support-code = 渠道代码：{ $code }
result-provider-said = { $channel }答复：{ $message }
result-training = 练习：没有动真钱

failure-code-expired = 没有收款。付款码已过期或已使用，请顾客刷新后再试。
failure-code-invalid = 没有收款。渠道不认识这个付款码，请顾客重新出示。
failure-insufficient-funds = 没有收款。顾客余额不足，请换一种付款方式。
failure-customer-refused = 没有收款。顾客没有确认，请问是否再试一次。
failure-timed-out = 没有收款。顾客没有及时确认，请再试一次。
failure-limit-exceeded = 没有收款。金额超过限额，请换一种付款方式。
failure-customer-account = 没有收款。顾客的钱包不能支付这笔，请换一种付款方式。
failure-merchant-account = 没有收款。本店在渠道的商户账户有问题，请告诉店长。
failure-request-refused = 没有收款。渠道拒绝了请求，请告诉店长。
failure-provider-unreachable = 没有收款。连接不上渠道，请检查网络或换一种付款方式。
failure-provider-refused = 没有收款。渠道拒绝了，请换一种付款方式。
failure-code-expired-short = 付款码过期
failure-code-invalid-short = 付款码无效
failure-insufficient-funds-short = 余额不足
failure-customer-refused-short = 顾客未确认
failure-timed-out-short = 确认超时
failure-limit-exceeded-short = 超过限额
failure-customer-account-short = 钱包不可用
failure-merchant-account-short = 商户账户
failure-request-refused-short = 请求被拒
failure-provider-unreachable-short = 连接不上
failure-provider-refused-short = 被拒绝

## 扫到的不是付款码

rejection-title = 没有发送任何内容
rejection-empty = 没有读到内容。请顾客重新出示付款码。
rejection-web-address = 这是网址，不是付款码。请顾客在钱包里点“付款”再出示。
rejection-merchant-code = 这是商家的收款码，给顾客扫的。请顾客出示自己的付款码。
rejection-card-code = 这是银行卡码（{ $scheme } { $card }），本收银台不能收。请出示以 62 开头的 19 位付款码，或换其他钱包。
rejection-product = 这是商品条码，不是付款码。
rejection-wifi = 这是 Wi-Fi 码，不是付款码。
rejection-contact = 这是名片，不是付款码。
rejection-text = 这是普通文字，不是付款码。付款码是 16 到 24 位数字。
rejection-too-short = 这个码只有 { $digits } 位数字，比付款码短。请重新扫，或输入全部数字。
rejection-too-long = 这个码有 { $digits } 位数字，比付款码长。请重新扫。
rejection-unknown-prefix = 没有钱包的付款码以 { $prefix } 开头。本收银台可收：{ $known }。
rejection-spent = 这个付款码已经用过。请顾客刷新后再试。
rejection-channel-closed = 这是{ $channel }的付款码，本店不收{ $channel }。请换一个钱包。
rejection-still-showing = 这个码已经读过。请先拿开，再出示新的付款码。

## 摄像头和扫码枪

camera-title = 摄像头
camera-hold-here = 把码放在这里
camera-hold-closer = 请靠近一些
camera-starting = 正在打开摄像头…
camera-none = 没有摄像头
camera-none-hint = 可以用扫码枪，或手工输入数字；顾客也可以扫屏幕上的码。
camera-lost = 摄像头已拔出
camera-lost-hint = 重新插上会自动恢复。扫码枪和手工输入照常可用。
camera-back = 摄像头已恢复
camera-busy = 摄像头正被别的程序使用
camera-busy-hint = 关闭那个程序，摄像头会自动恢复。
camera-no-permission = 当前用户不能使用摄像头
camera-no-permission-hint = 请把用户加入 video 组，然后重新登录。
camera-failed = 摄像头没有画面
camera-off = 摄像头已关闭
camera-recorded = 录制的画面
camera-recorded-end = 录制的画面已播完
camera-choose = 选择摄像头
camera-number = 摄像头 { $number }
camera-dark = 太暗。请开灯，或调亮手机屏幕。
scanner-read = 扫码枪：已读到
scanner-ready = 扫码枪就绪
scanner-hint = 键盘式扫码枪随时可用。

## 顾客屏

display-welcome = 欢迎光临
display-idle-hint = 可用手机付款
display-due = 请付款
display-scan-code = 请用{ $channel }扫码付款
display-scan-any = 请扫其中一个码
display-or-show = 或向摄像头出示付款码
display-or-show-scanner = 或向收银员出示付款码
display-show-only = 请向摄像头出示付款码
display-preparing = 请稍候
display-seconds-left = 剩 { $seconds } 秒
display-confirm = 请在手机上确认
display-confirm-hint = 请输入密码或使用指纹
display-asking = 正在询问{ $channel }，请稍候。
display-asking-hint = 请先不要再次付款。
display-closing = 请稍候
display-paid = 付款成功
display-thanks = 谢谢
display-thanks-store = 谢谢惠顾{ $store }
display-paid-with = { $channel }
display-not-paid = 还没有付款
display-not-paid-hint = 没有扣款，收银员会帮您。
display-fresh-code = 请刷新付款码后再出示
display-another-way = 请换一种付款方式
display-cancelled = 本笔已取消
display-cancelled-hint = 没有扣款。
display-reversed = 您的钱正在退回
display-surplus = 您付了两次，{ $amount } 正在退回。
display-receipt = 您的小票
display-training = 练习：不动真钱
display-offline = 请稍候
display-closed = 本收银台暂停服务

## 交易：列表和经过

sales-title = 交易
sales-today = 今天的交易
sales-empty = 这一天没有交易。
sales-empty-filter = 没有符合的交易。请改动或清除筛选。
sales-search = 查找：金额、单号、尾号
sales-filter-state = 状态
sales-filter-channel = 渠道
sales-filter-all = 全部
sales-loading = 正在读取交易…
sales-load-more = 更早的交易
sales-count = { $count } 笔

sale-title = 交易
sale-story = 经过
sale-amount = 金额
sale-note = 备注
sale-created = 开始
sale-ended = 结束
sale-duration = 用时
sale-operator = 收银员
sale-till = 收银台
sale-payer = 付款人
sale-out-trade-no = 商户单号 (out_trade_no)
sale-provider-no = 渠道单号
sale-auth-code = 付款码（已遮盖）
sale-payment-id = 付款编号
sale-attempt = 第 { $number } 次
sale-attempts = 各次尝试
sale-attention = 需要查看
sale-refund = 退款
sale-print = 打印
sale-ask-again = 再问一次渠道
sale-training = 练习交易：不动真钱

event-created = 开始收款 { $amount }
event-changed = 改为 { $amount }
event-attempt-started = 第 { $no } 次，{ $channel }：{ $way }
event-code-shown = { $channel }给了码，已显示在顾客屏上
event-customer-confirming = 顾客正在手机上确认
event-result-unknown = { $channel }没有明确答复：{ $detail }
event-void-started = 请{ $channel }撤销第 { $no } 次：{ $reason }
event-attempt-succeeded = { $channel }收款成功
event-attempt-failed = { $channel }拒绝：{ $reason }
event-attempt-closed = { $channel }已关闭第 { $no } 次，没有扣款
event-attempt-reversed = { $channel }已撤销第 { $no } 次
event-surplus-refund-started = 多付一笔：已申请退回第 { $no } 次
event-surplus-refunded = 第 { $no } 次已退回
event-attempt-deferred = 已结束；未过期的收款码仍在监看，若有款项到账会自动退回
event-others-deferred = 已收款，其余的在后台关闭
event-cancel-requested = { $by } 要求取消
event-expired = 付款时间已过
event-attention-raised = 需要查看：{ $detail }
event-other = { $kind }

void-cancelled = 收银员取消
void-expired = 付款时间已过
void-paid-otherwise = 已用其他方式付款
void-renewed = 已换新码
void-stayed-unknown = 一直不能确定是否已付款

attempt-prepared = 正在发送
attempt-code-shown = 码已显示
attempt-customer-confirming = 顾客确认中
attempt-unknown = 没有明确答复
attempt-voiding = 正在撤销
attempt-succeeded = 已收款
attempt-failed = 被拒绝
attempt-closed = 未付款，已关闭
attempt-reversed = 已撤销
attempt-surplus-refunding = 多付一笔，正在退回
attempt-surplus-refunded = 多付一笔，已退回

## 营业额

takings-title = 营业额
takings-of = { $date } 的营业额
takings-net = 净额
takings-gross = 总收款
takings-refunds = 退款
takings-count = 笔数
takings-refund-count = 退款笔数
takings-average = 平均每笔
takings-by-channel = 按渠道
takings-by-hour = 按小时
takings-by-till = 按收银台
takings-share = 占比
takings-hour = 时段
takings-empty = 这一天还没有收款。
takings-empty-hint = 第一笔收款会自动显示在这里。
takings-training = 练习：这些都不是真钱
takings-in-flight = 还有 { $count } 笔未有结果，最早一笔始于 { $time }
takings-in-flight-hint = 尚未计入营业额；系统会一直向渠道查询，直到有结果。按 F2 查看。
takings-updated = 截至 { $time }
takings-previous-day = 前一天
takings-next-day = 后一天
takings-export = 导出
takings-exported = 已保存为 { $file }
takings-compared = 与 { $date } 相比 { $percent } %

report-title = 营业日报
report-business-day = 营业日
report-printed = 打印时间 { $time }
report-page = 第 { $page } 页，共 { $pages } 页
report-sales = 交易明细

## 退款

refund-title = 退款
refund-choose = 请选择要退款的交易
refund-amount = 退款金额
refund-full = 全额
refund-confirm = 退款 { $amount }
refund-done = { $amount } 已退回顾客
refund-processing = { $amount } 正在退回
refund-failed = 没有退款。{ $reason }
refund-not-paid = 这笔没有收款，没有可退的钱。

## 设置

settings-title = 设置
settings-language = 语言
settings-theme = 外观
settings-theme-light = 浅色
settings-theme-dark = 深色
settings-theme-system = 跟随系统
settings-sound = 声音
settings-sound-on = 声音已打开
settings-sound-off = 声音已关闭
settings-motion = 动画
settings-motion-hint = 关闭动画；倒计时保留。
settings-camera = 摄像头
settings-display = 顾客屏
settings-display-open = 打开顾客屏
settings-display-close = 关闭顾客屏
settings-display-fullscreen = 全屏
settings-store = 门店
settings-store-name = 店名
settings-till-name = 收银台名称
settings-accounts = 商户账户
settings-about = 关于
settings-version = 版本 { $version }
settings-data-dir = 数据文件夹
settings-saved = 已保存

## 登录

sign-in-title = 请选择收银员
sign-in-hint = 请输入 PIN 码
sign-in-asking = 请稍候 …
sign-in-enter = 登录
sign-in-wrong = PIN 码不对。再错 { $left } 次将暂时锁定。
sign-in-locked = 已锁定 { $time }：PIN 码输错次数过多。店长可以解锁。
role-cashier = 收银员
role-supervisor = 主管
role-manager = 店长
role-admin = 管理员
help-lock = 锁定收银台，用 PIN 码重新登录

## 练习手机

phone-title = 练习手机
phone-hint = 一部顾客的手机，可以试遍所有功能。不动真钱。
phone-wallet = 钱包
phone-balance = 余额 { $amount }
phone-show-code = 付款码
phone-code-renews = { $seconds } 秒后换新码
phone-new-code = 换新码
phone-hold-up = 对准摄像头
phone-hold-up-hint = 付款码会走和真实摄像头一样的路。
phone-take-away = 拿开
phone-scan = 扫顾客屏
phone-scan-hint = 读取顾客屏上的码。
phone-scan-nothing = 顾客屏上没有{ $channel }的码。请先开始收款。
phone-asked = { $store } 请您付款 { $amount }
phone-confirm = 确认付款
phone-refuse = 拒绝
phone-ignore = 不理会，等它过期
phone-confirming = 请输入密码
phone-paid = 已付 { $amount }
phone-refused = 已拒绝
phone-expired = 已过期
phone-history = 记录
phone-history-empty = 还没有付款。
phone-unreachable = 连接不上练习钱包。请重新启动收银台。
phone-opened-web = 也可以用浏览器打开：{ $address }

## 离线和故障

offline-title = 连接不上付款服务
offline-hint = 现在不能开始新的收款。进行中的会继续到结束。正在自动重试。
offline-back = 已重新连接
offline-since = 自 { $time } 起
offline-retry-in = { $seconds } 秒后重试
provider-down = 连接不上{ $channel }。其他付款方式照常可用。
account-none = 还没有设置商户账户
account-none-hint = 现在是练习模式。添加账户后才能收真钱。

error-title = 没有成功
error-nothing-taken = 没有扣款。
error-unreachable = 连接不上付款服务。没有发送新的内容。请检查它是否在运行，然后重试。
error-timed-out = 没有及时答复。正在查明收款是否已开始。请先不要再次收款。
error-unreadable = 付款服务的答复看不懂。请在两边安装相同的版本。
error-invalid-request = 付款服务没有接受请求。没有扣款。请检查输入后重试。
error-not-found = 没有这笔付款。请刷新列表。
error-changed-meanwhile = 这笔付款刚有变化。没有执行任何操作。请再看一次。
error-not-possible-now = 这笔付款现在的状态不能这样做。请再看一次。
error-auth-code-spent = 没有发送。这个付款码已经用过，请顾客刷新后再试。
error-auth-code-rejected = 没有发送。这不是付款码，请顾客出示付款码。
error-idempotency-mismatch = 没有发送。同一个键已用于另一个请求。请重新开始收款。
error-done-before = 这个操作已经做过。请看列表。
error-disk-full = 磁盘已满，不能开始新的收款。请腾出空间；已确认的都还在。
error-books-unavailable = 账本写不进去，不能开始新的收款。已确认的都还在。请告诉店长。
error-channel-not-open = 没有发送。本店不收这个渠道，请换一个钱包。
error-no-account = 没有发送。还没有为此设置商户账户，请告诉店长。
error-amount-out-of-range = 没有发送。这个渠道不收这样大小的金额。
error-busy = 正在试另一个付款码，请等它结束。
error-payment-over = 这笔已经结束。请开始新的一笔。
error-too-many-attempts = 没有发送。这笔试的次数太多。请开始新的一笔。
error-id-invalid = 没有发送。请求中有一个编号无效。请重新开始收款。
error-unsigned-request = 付款服务不认识这台收银台。请重新登记。
error-bad-signature = 付款服务不接受这台收银台的密钥。请重新登记。
error-stale-request = 本机时钟不准。没有发送。请校准时钟后重试。
error-replayed-request = 请求发送了两次，只算一次。请看列表。
error-sign-in-needed = 尚未登录，没有执行任何操作。请用 PIN 码登录后重试。
error-session-over = 登录已失效，没有执行任何操作。请用 PIN 码重新登录后重试。
error-role-too-low = 您没有这项权限，没有执行任何操作。请有权限的人登录后操作。
error-unauthorized = 这台收银台没有权限。请找店长。
error-internal = 付款服务内部出错。再次收款之前请先查看这笔交易。
error-port-taken = 地址 { $address } 正被别的程序使用。请关闭它，或用 --listen 换一个。
error-support = 技术支持用：{ $code }

## 按键

keys-title = 按键
keys-amount = 输入金额
keys-collect = 收款；有结果后：下一笔
keys-cancel = 取消；关闭打开的页面
keys-backspace = 退掉最后一位
keys-clear = 清除金额
keys-note = 添加备注
keys-type-code = 手工输入付款码
keys-help = 按键说明
keys-sales = 交易
keys-takings = 营业额
keys-refund = 退款
keys-phone = 练习手机
keys-display = 顾客屏
keys-settings = 设置
keys-lock = 锁定
keys-theme = 浅色或深色
keys-language = 切换语言
keys-up-down = 在列表中上下移动
keys-open = 打开选中的交易
keys-scan-hint = 扫码枪随时可用，不管打开了什么页面。

## 收款成功后的语音

voice-received = { $channel }收款 { $amount }

## 收银时的提示

title-cashier = 收银
title-customer = 顾客屏

amount-enter = 请先输入金额。
amount-no-more-decimals = 金额最多两位小数，刚才的按键未计入。
amount-over-limit = 单笔最多 100,000,000.00，刚才的按键未计入。
cashier-enter-first = 没有发送。请先按回车开始收款，再扫一次付款码。

collect-opening = 正在开始收款
collect-opening-body = 请稍候。
collect-submitting = 正在询问{ $channel }
collect-submitting-body = 已读到付款码，正在等待结果。
collect-confirming = 等待顾客确认
collect-confirming-body = 请顾客在{ $channel }中输入密码或确认。不要重复收款。
collect-unknown-body = 正在向{ $channel }查询顾客是否已付款。请先不要再次收款。如一直没有答复，将自动撤销。
collect-closing = 钱已收到
collect-closing-body = 正在关闭其他付款方式，请稍候。
collect-cancelling = 正在取消
collect-cancelling-body = 尚未取消：先向支付机构确认，顾客可能刚好付了款。
collect-reversing = 正在撤销
collect-reversing-body = 等待支付机构确认。请先不要再次收款。
collect-cashier = 收款时间已到
collect-cashier-body = 请查看店铺账户：款项到账就确认收款，没有到账就取消。
action-cancelling = 正在取消…
hint-cancel-not-sent = 没有取消：收款服务没有答复，这笔收款仍在进行。请按 Esc 重试。
the-provider = 支付机构

await-preparing = 正在取码
await-code-shown = 已显示收款码，等待扫码
await-submitted = 已读付款码，正在询问
await-confirming = 顾客正在手机上确认
await-asking = 结果不明，正在查询
await-voiding = 正在关闭
await-paid = 已付款
await-refused = 被拒绝
await-closed = 已关闭
await-limits = 金额不在范围内
await-no-code = 没有收款码，请扫顾客的码
await-scan-only = 请扫顾客的付款码

result-run-out = 超时未付
result-offer-again = 按原金额重新收款
result-cancelled-body = 没有向顾客收钱。
result-expired-body = 没有收款，收款码已关闭。
result-reversed-body = 没有收款。已扣的钱已退回顾客。
result-refunded-body = 钱已退回顾客。

notice-code-runs-out = 已展示的{ $channel }收款码几分钟后失效；若在此之前被支付，款项会自动退回。
notice-paid-despite-cancel = 取消时顾客已经付款，这笔收款有效。
notice-paid-twice = 顾客同时付了两次。{ $channel }的一笔将自动退回。
notice-paid-twice-returned = 顾客同时付了两次。{ $channel }的一笔已退回顾客。

camera-starting-hint = 可以先输入金额。
camera-off-hint = 可在设置（F5）中选择摄像头。
settings-camera-none = 不用摄像头
settings-more = 其他

display-checking = 请稍候

sale-way = 方式
sale-paid-at = 付款时间
sale-reason = 原因
sale-provider-words = 支付机构的说明
sale-code-until = 显示至 { $time }
story-broken = 暂时读不到这笔收款的经过。
takings-unavailable = 暂时读不到营业额。

broken-title = 收银台无法启动
broken-body = 没有收款。原因如下：

close-title = 有一笔收款正在进行
close-body = 现在关闭，这笔收款会在下次启动时继续处理完，结果在收款记录中查看。
close-stay = 留下
close-anyway = 关闭

## 功能键与按键说明

key-back = 返回
key-sales = 记录
key-takings = 营业额
key-settings = 设置
key-phone = 练习手机
key-help = 按键

help-sale = 收银
help-pages = 页面
help-window = 窗口
help-digits = 输入金额；出结果后直接输入下一笔
help-backspace = 删除一位；Delete 清空
help-enter = 开始收款；失败后按原金额再收一次
help-escape = 清除；收款中则为取消
help-code-on-request = 收款中：出示无法关闭的收款码
help-arrived = 收款中：款项已到店铺账户
help-note = 填写备注，再按返回金额
help-type-code = 手动输入付款码数字
help-paste = 粘贴金额或付款码
help-help = 本页
help-sales = 收款记录；回车打开
help-takings = 营业额；← → 换日期
help-settings = 设置
help-phone = 练习手机；其按键与 Alt 同按
help-list = 在列表中上下移动
help-language = 切换语言
help-theme = 浅色或深色
help-customer = 打开或关闭顾客屏
help-scanner = 扫码枪随时可用，不论打开哪个页面，绝不会把数字打进金额或备注。

## 支付机构账上的交易

trade-success = 已付款
trade-wait-buyer-pay = 待确认
trade-created = 待付款
trade-reversed = 已撤销
trade-closed = 已关闭
trade-refused = 已拒绝
trade-refunded = 已退回

## 商户账户

settings-accounts-open = 账户与密钥…
accounts-title = 商户账户
accounts-add = 新账户
accounts-none-hint = 还没有自己的账户，收银台处于练习模式：不收真钱。请添加支付机构给您的账户。
accounts-state-live = 已启用
accounts-state-training = 练习
accounts-state-off = 已停用
accounts-state-problem = 无法使用
accounts-every-store = 所有门店
accounts-sealed = 已加密
accounts-fact-gateway = 网关
accounts-fact-stores = 门店
accounts-fact-old-keys = 旧密钥有效至
accounts-test = 测试
accounts-renew = 更换密钥
accounts-turn-on = 启用
accounts-turn-off = 停用
accounts-remove = 删除
accounts-remove-title = 删除 { $name }？
accounts-remove-body = 以后不再通过它收款，密钥也会删除。已经通过它收的款仍在账上。
accounts-keep = 保留
accounts-step-provider = 支付机构
accounts-step-credentials = 密钥
accounts-step-test = 测试并保存
accounts-choose-title = 由谁给您结算？
accounts-choose-body = 请选择与您签约的支付机构。号码和密钥在它的商户平台上。
accounts-about-alipay = 顾客扫您的码，或出示付款码。公钥或证书方式。
accounts-about-wechatpay = 顾客扫您的码，或出示付款码。APIv3；老商户可用 APIv2。
accounts-about-unionpay = 银行卡扫码，用云闪付和各银行的应用。
accounts-about-bank-transfer = 用收款账号、金额和参考号生成的码。没有支付机构：您看到钱到账后自己确认。
accounts-form-title = { $channel }：号码和密钥
accounts-renew-title = { $name }：更换密钥
accounts-name = 账户名称
accounts-optional = 可不填
accounts-look-here = 请看这里
accounts-how = 粘贴（Ctrl V），或选择文件（Ctrl O）
accounts-stays = 保持不变
accounts-pasted = 已粘贴 { $count } 个字符
accounts-from-file = { $file }，{ $count } 个字符
accounts-paste = 粘贴
accounts-pick = 选择文件
accounts-pick-title = 选择文件：{ $field }
accounts-save = 保存
accounts-sealed-hint = 密钥加密保存在本机，以后不再显示。测试不会扣款。
accounts-gateway-live = 正式
accounts-gateway-test = 支付机构的测试网关
accounts-no-gateway = 没有支付机构可以测试：码在本机生成，由您确认钱已到账。
account-test-asking = 正在询问支付机构…
account-test-good = 可以使用。支付机构认得这个账户，双方的签名都正确。没有扣款。
account-test-not-asked = 没能进行测试。
account-fault-host-unknown = 找不到网关的地址。请检查网络和域名解析（DNS）以及地址。
account-fault-unreachable = 连不上网关。请检查网络、代理和防火墙，再测试一次。
account-fault-tls = 安全连接失败。请检查地址、本机时钟、会拆开安全连接的代理和商户证书。
account-fault-timeout = 网关没有及时答复。请检查网络，再测试一次。
account-fault-clock-skew = 支付机构不接受本机的时钟。请校准时钟（最好用网络时间），再测试一次。
account-fault-clock-ahead = 本机时钟比支付机构快 { $minutes } 分钟。请校准时钟（最好用网络时间），再测试一次。
account-fault-clock-behind = 本机时钟比支付机构慢 { $minutes } 分钟。请校准时钟（最好用网络时间），再测试一次。
account-fault-wrong-key = 支付机构不接受签名：这不是该账户的私钥。请填入已在支付机构平台上传公钥的那一把。
account-fault-wrong-app-id = 支付机构不认得这个应用号。请从平台复制；测试和正式的号不同。
account-fault-wrong-merchant = 支付机构不认得这个商户号，或它没有与应用绑定。请在平台核对两者。
account-fault-certificate-expired = 证书已过期或尚未生效。请在支付机构平台换一张新的。
account-fault-certificate-unknown = 支付机构不认得这张证书，或证书链不完整。请重新下载全部证书并填入。
account-fault-provider-key-wrong = 支付机构的答复与填入的机构公钥不符。请复制支付机构自己的公钥，不是您生成的那一把。
account-fault-api-key-wrong = 用这个 API 密钥打不开支付机构加密的内容。请复制平台上设置的密钥，或重新设置。
account-fault-no-permission = 账户没有这种收款的权限。请在支付机构平台签约当面收款。
account-fault-provider-down = 支付机构暂时出了故障。请稍后再测试。
account-fault-refused = 支付机构因其他原因拒绝。它的说明在下面，客服认得这个代码。
account-fault-credential = 有一项内容无法读取。请检查后重新填入。
account-fault-algorithm-off = 这个账户不能使用该算法。请换一种签名方式，或由管理员打开。
account-warning-weak-algorithm = 这个账户打开了较弱的算法，因为支付机构没有别的：
account-warning-not-encrypted = 网关地址没有加密（http）。
account-warning-key-in-file = 加密这个账户的密钥存放在本机文件里。用系统密钥环或口令更安全。
credential-alipay-app-id = 应用号（APPID）
credential-alipay-seller-id = 商户号（PID）
credential-alipay-app-private-key = 应用私钥
credential-alipay-mode = 密钥交换方式
credential-alipay-alipay-public-key = 支付宝公钥
credential-alipay-app-certificate = 应用公钥证书
credential-alipay-alipay-certificate = 支付宝公钥证书
credential-alipay-alipay-root-certificate = 支付宝根证书
credential-alipay-aes-key = 内容加密密钥（AES）
credential-wechatpay-api-version = 接口版本
credential-wechatpay-appid = 应用号（APPID）
credential-wechatpay-mchid = 商户号
credential-wechatpay-merchant-serial = 证书序列号
credential-wechatpay-merchant-private-key = 商户 API 私钥
credential-wechatpay-merchant-certificate = 商户 API 证书
credential-wechatpay-api-v3-key = APIv3 密钥
credential-wechatpay-platform-public-key = 微信支付公钥
credential-wechatpay-platform-public-key-id = 公钥 ID
credential-wechatpay-platform-certificate = 平台证书
credential-wechatpay-api-v2-key = APIv2 密钥
credential-wechatpay-sign-type = APIv2 签名方式
credential-unionpay-mer-id = 商户号（merId）
credential-unionpay-sign-p12 = 签名证书（.pfx）
credential-unionpay-sign-p12-password = 证书文件的密码
credential-unionpay-middle-certificate = 银联中级证书
credential-unionpay-root-certificate = 银联根证书
credential-unionpay-common-name = 银联证书上的名称
credential-unionpay-file-base-url = 对账文件地址

## 由收银员确认到账

await-on-request = 扫顾客的码，或按 * 显示收款码
collect-show-code-of = { $channel }收款码
await-cashier-watches = 请看收款账户
collect-arrived = 钱已到账
collect-arrived-yes = 是，已到账
collect-arrived-title = { $amount } 到账了吗？
collect-arrived-body = 请核对参考号 { $number } 和金额。Enter：已到账，收款成功。Esc：还没有。

## 退款

key-refund = 退款
refund-of = 原收款 { $amount }，{ $channel }
refund-left = 可退 { $amount }
refund-reason = 原因
refund-reason-needed = 请写明原因：由人工退还，会记入账簿。
refund-none-left = 这笔收款已没有可退的金额。
refund-too-much = 最多可退 { $amount }。
refund-whole-only = 这个渠道只能全额退。
refund-by-hand = 支付机构无法退回。请自行退给顾客，这里记入账簿。
refund-go = 退 { $amount }
refund-sure-title = 把 { $amount } 退给顾客？
refund-sure-body = 按原路退回，无法撤销。
refund-sure-hand = 已经把 { $amount } 退给顾客了吗？
refund-sending = 正在申请退款…
event-refund-started = { $by } 申请退款
event-refund-succeeded = 已退给顾客
event-refund-failed = 退款被拒绝：{ $reason }
event-cashier-confirmed = { $by } 确认钱已到账
event-arrived-late = 收款结束后钱才到账
event-surplus-owed = 多付一笔：请人工退还第 { $no } 次
attempt-surplus-owed = 多付一笔，须人工退还
pending-awaiting-cashier = 时间到了，请看收款账户
pending-awaiting-cashier-next = 钱到账了吗？到了请确认，否则取消。
pending-awaiting-cashier-short = 待核对
refund-reason-optional = 原因（可不填）
help-refund = 给打开或选中的这笔退款
error-notification-unmatched = 支付机构通知了一笔与账簿不符的钱。请告诉店长：已记录在通知里。
credential-wechatpay-gateway-root-certificate = 连接的根证书
credential-bank-transfer-scheme = 收款码标准
credential-bank-transfer-promptpay-kind = PromptPay 号码类型
credential-bank-transfer-promptpay-id = PromptPay 号码
credential-bank-transfer-pix-key = PIX 密钥
credential-bank-transfer-pix-name = 名称
credential-bank-transfer-pix-city = 城市
credential-bank-transfer-paynow-kind = PayNow 号码类型
credential-bank-transfer-paynow-id = PayNow 号码
credential-bank-transfer-paynow-name = 名称
credential-bank-transfer-upi-address = UPI 地址
credential-bank-transfer-upi-name = 名称
credential-bank-transfer-sepa-iban = IBAN 账号
credential-bank-transfer-sepa-bic = BIC 代码
credential-bank-transfer-sepa-name = 户名
credential-bank-transfer-swiss-iban = IBAN 或 QR-IBAN
credential-bank-transfer-swiss-currency = 币种
credential-bank-transfer-swiss-name = 户名
credential-bank-transfer-swiss-street = 街道
credential-bank-transfer-swiss-house = 门牌号
credential-bank-transfer-swiss-postcode = 邮政编码
credential-bank-transfer-swiss-town = 城市
credential-bank-transfer-swiss-country = 国家

## What is made of a code in the camera's picture (a few words; `seen-` and a CodeRejection's kind)

seen-taken = { $channel }：已读到
seen-amount-first = 请先输入金额
seen-enter-first = 请先按回车
seen-not-open = 本店不收{ $channel }
seen-used = { $channel }：此码已用过，请顾客刷新
seen-empty = 码中没有内容
seen-web-address = 这是网址，不是付款码
seen-merchant-code = 这是商家的码，不是顾客的
seen-card-code = 这是银行卡的码，本店不收
seen-product = 这是商品条码
seen-wifi = 这是 Wi-Fi 码
seen-contact = 这是名片
seen-text = 这是文字，不是付款码
seen-too-short = 位数太少，不是付款码
seen-too-long = 位数太多，不是付款码
seen-unknown-prefix = 不是已知钱包的付款码
camera-failed-hint = 请拔下再插上。扫码枪和手工输入照常可用。

## Setting up cameras and scanners

settings-scanners = 摄像头和扫码枪…
scanners-title = 摄像头和扫码枪
scanners-camera = 摄像头
scanners-keyboard = 键盘式扫码枪
scanners-serial = 串口扫码枪
scanners-camera-hint = 请举起付款码：这里只读码，不会扣款。
scanners-keyboard-hint = 适用于像键盘一样输入的扫码枪。请在这里扫任意码：逐个字符显示，不会扣款。
scanners-serial-hint = 适用于接在串口上的扫码枪（USB 虚拟串口或 RS-232）。请在这里扫任意码：逐个字符显示，不会扣款。
scanners-mirror = 画面左右翻转
scanners-port-none = 不用串口扫码枪
scanners-speed = 波特率
scanners-ends = 结尾
scanners-begins = 开头
scanners-pause = 停顿多久算结束
scanners-gap = 按键最长间隔
scanners-length = 最少字符数
scanners-ms = { $ms } 毫秒
scanners-suffix-any = 回车或 Tab
scanners-suffix-enter = 回车
scanners-suffix-tab = Tab
scanners-suffix-none = 停顿
scanners-ending-line = CR 或 LF
scanners-ending-tab = Tab
scanners-ending-pause = 停顿
scanners-empty = 请扫一个码：收到的内容会在这里逐个字符显示。
scanners-arrived = 收到的内容
scanners-arrived-sum = 共 { $count } 个字符。下方是与前一个相隔的毫秒数；最长间隔 { $ms } 毫秒。
scanners-keyboard-ready = 就绪。不论打开哪个页面，键盘式扫码枪随时可用。
scanners-port-off = 没有选择串口扫码枪。
scanners-port-opening = 正在打开串口…
scanners-port-open = 已打开：{ $port }
scanners-port-no-port = 找不到 { $port }。插上扫码枪后会自动恢复。
scanners-port-busy = { $port } 正被别的程序使用。关闭那个程序，扫码枪会自动恢复。
scanners-port-forbidden = 当前用户不能使用 { $port }。请把用户加入 dialout 组，然后重新登录。
scanners-port-refused = { $port } 无法读取。请换一个串口或波特率。
scanners-made-payment = 是付款码，收银台会收下。
scanners-made-scan = 扫到了，但不是付款码
scanners-made-typing = 被当成键盘输入，没有当成扫码
scanners-made-unended = 没有收下：结尾没有来
scanners-unended-why = 码的结尾或开头与设置不符。
scanners-typing-slow = 按键最长间隔 { $ms } 毫秒，超过了设置。
scanners-typing-prefix = 开头与设置不符。
scanners-typing-short = 只有 { $count } 个字符，少于设置。
scanners-typing-suffix = 结尾与设置不符。
scanners-garbled = 收到的不是字符。波特率 { $speed } 可能不对：请换一个再扫。
scanners-suggest = 适合这把扫码枪的设置
scanners-suggest-ends = 结尾：{ $end }
scanners-suggest-gap = 最长间隔：{ $ms } 毫秒
scanners-suggest-prefix = 开头：{ $prefix }
scanners-suggest-use = 采用
camera-set-exposure-automatic = 曝光：自动
camera-set-exposure-fixed = 曝光：固定为 10 毫秒，摄像头不能自动
camera-set-exposure-refused = 曝光：摄像头拒绝了设置
camera-set-exposure-absent = 曝光：此摄像头不能设置
camera-set-steady-rate-automatic = 帧率：光线暗时也保持
camera-set-steady-rate-fixed = 帧率：光线暗时也保持
camera-set-steady-rate-refused = 帧率：光线暗时可能下降，摄像头拒绝了设置
camera-set-steady-rate-absent = 帧率：光线暗时由摄像头决定
camera-set-focus-automatic = 对焦：连续自动
camera-set-focus-fixed = 对焦：固定在近处，摄像头不能自动
camera-set-focus-refused = 对焦：摄像头拒绝了设置
camera-set-focus-absent = 对焦：此摄像头不能设置
