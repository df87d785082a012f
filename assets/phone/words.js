// Every word of the wallet, in both languages.

const WORDS = {
  en: {
    title: 'Sandbox wallet',
    no_money: 'Training: no real money moves',
    choose: 'Choose a wallet',
    balance: 'Balance',
    fill_up: 'Fill up',
    pay_code: 'Pay code',
    scan: 'Scan',
    history: 'History',
    wallets: 'Wallets',
    back: 'Back',
    show_cashier: 'Show this to the cashier',
    renews_in: (s) => `A fresh code in ${s} s`,
    show_digits: 'Show the digits',
    hide_digits: 'Hide the digits',
    camera: 'Use the camera',
    stop_camera: 'Stop the camera',
    picture: 'Take or choose a picture',
    paste: 'Or paste what the code says',
    open: 'Open',
    aim: 'Hold the camera over the shop’s code.',
    no_camera: 'The browser gives the camera only to secure pages. Take a picture instead.',
    no_code: 'No code was found in the picture. Nothing was paid. Go nearer and try again.',
    reading: 'Reading…',
    pay: 'Pay',
    pay_question: 'Pay this?',
    refuse: 'Refuse',
    password_left: (s) => `${s} s left`,
    paid: 'Paid',
    paid_detail: 'The shop is being told.',
    refused: 'Refused',
    refused_detail: 'Nothing was taken.',
    ran_out: 'Time ran out',
    ran_out_detail: 'Nothing was taken. Ask the shop for a new code.',
    closed: 'Closed by the shop',
    closed_detail: 'Nothing was taken.',
    reversed: 'Taken back by the shop',
    reversed_detail: 'The money is back in your wallet.',
    done: 'Done',
    empty: 'Nothing yet. Show the pay code at the till, or scan the shop’s.',
    state: {
      CREATED: 'Waiting', WAIT_BUYER_PAY: 'Waiting for you', SUCCESS: 'Paid', CLOSED: 'Not paid',
      REVERSED: 'Taken back', REFUNDED: 'Refunded',
    },
    part_refunded: (amount) => `${amount} refunded`,
    ask_always: 'Ask me before every payment',
    offline: 'The sandbox does not answer. Nothing was paid. It is tried again by itself.',
    failed: 'That did not work. Nothing was paid.',
    problems: {},
    language: '中文',
  },
  zh: {
    title: '沙箱钱包',
    no_money: '训练模式：不会动用真实资金',
    choose: '选择钱包',
    balance: '余额',
    fill_up: '充值',
    pay_code: '付款码',
    scan: '扫一扫',
    history: '账单',
    wallets: '钱包',
    back: '返回',
    show_cashier: '请向收银员出示',
    renews_in: (s) => `${s} 秒后自动更新`,
    show_digits: '查看数字',
    hide_digits: '隐藏数字',
    camera: '打开摄像头',
    stop_camera: '关闭摄像头',
    picture: '拍照或选择图片',
    paste: '或粘贴二维码内容',
    open: '打开',
    aim: '将摄像头对准商家的收款码。',
    no_camera: '浏览器只允许安全网页使用摄像头，请改用拍照。',
    no_code: '图片中没有找到二维码，未付款。请靠近一些重试。',
    reading: '正在识别…',
    pay: '确认付款',
    pay_question: '确认付款？',
    refuse: '拒绝',
    password_left: (s) => `剩余 ${s} 秒`,
    paid: '支付成功',
    paid_detail: '正在通知商家。',
    refused: '已拒绝',
    refused_detail: '未扣款。',
    ran_out: '已超时',
    ran_out_detail: '未扣款。请向商家索取新的二维码。',
    closed: '商家已关闭',
    closed_detail: '未扣款。',
    reversed: '商家已撤销',
    reversed_detail: '款项已退回钱包。',
    done: '完成',
    empty: '暂无记录。向收银员出示付款码，或扫商家的收款码。',
    state: {
      CREATED: '待付款', WAIT_BUYER_PAY: '待确认', SUCCESS: '已支付', CLOSED: '未支付',
      REVERSED: '已撤销', REFUNDED: '已退款',
    },
    part_refunded: (amount) => `已退 ${amount}`,
    ask_always: '每次付款都需确认',
    offline: '沙箱没有响应，未付款。将自动重试。',
    failed: '操作未成功，未付款。',
    problems: {
      not_found: '没有找到对应的订单，未付款。请确认扫描完整，且商家使用的是本沙箱。',
      other_provider: '该二维码属于其他支付方式，未付款。请换用对应的钱包扫描。',
      other_payer: '其他顾客已扫描此码并即将付款，未付款。',
      paid: '该订单已支付，没有重复扣款。',
      closed: '该订单已关闭或超时，未付款。请向商家索取新的二维码。',
      balance: '余额不足，未付款。请换用其他钱包。',
      not_possible: '该订单当前不能进行此操作，未付款。',
    },
    language: 'English',
  },
};

const kept = localStorage.getItem('language');
export let language = kept ?? (navigator.language.startsWith('zh') ? 'zh' : 'en');
export let words = WORDS[language];

export function otherLanguage() {
  language = language === 'zh' ? 'en' : 'zh';
  words = WORDS[language];
  localStorage.setItem('language', language);
}

// Fen as yuan: integers only, as everywhere else.
export function yuan(fen) {
  const sign = fen < 0 ? '-' : '';
  const digits = String(Math.abs(fen)).padStart(3, '0');
  const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ',');
  return `${sign}¥${whole}.${digits.slice(-2)}`;
}
