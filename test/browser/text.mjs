// What no page may show: English left over, times and codes meant for machines, values that never arrived.

/** Words of the trade that are written in Latin letters. */
const NAMES = /\b(12345|PDF|SSE|CSV|xlsx|Excel|JSON|HTTPS?|SHA-?\d*|SM[234]|OIDC|TOTP|SIP|SRTP|SDES|TLS|PostgreSQL|SQLite|Ctrl\+?[A-Z]?|Alt[A-Z]?|Shift|Enter|Esc|Space|PageUp|PageDown|Home|End|Delete|JPG|PNG|HEIC|MP4|WPS|Word|APP)\b/gi
/** A login name (agent.4201), an address, a file name, the code a citizen asks with, a password that is shown once. */
const IDENT = /查询码 ?[0-9A-Z]{8}|密码：\w+|\b[a-z]+_?[a-z]*\d*\.[\w.-]+|https?:\S+|\b[0-9a-f]{8,}\b/gi

/** Short words that slip through: answers, names of columns and of states. */
const SHORT = /(?<![\w.+/-])(ok|id|ids|err|url|api|yes|no|all|any|none|new|old|get|put|key|tag|row|max|min|sum|nil|tbd|n\/a)(?![\w.+/-])/i

export function badText(text) {
  const out = []
  for (const raw of text.split('\n')) {
    const line = raw.replace(NAMES, '').replace(IDENT, '')
    if (/[A-Za-z]{4,}/.test(line) || SHORT.test(line)) out.push('英文：' + raw.trim().slice(0, 60))
    if (/\d{4}-\d\d-\d\dT\d\d:\d\d/.test(raw)) out.push('时间未格式化：' + raw.trim().slice(0, 60))
    if (/\b(undefined|null|NaN)\b|\[object|Invalid Date/.test(raw)) out.push('空值：' + raw.trim().slice(0, 60))
    if (/\b[a-z]{2,}_[a-z_]{2,}\b/.test(line)) out.push('代码：' + raw.trim().slice(0, 60))
  }
  return [...new Set(out)]
}
