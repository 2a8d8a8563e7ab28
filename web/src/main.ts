// Conventions of the console sources:
//
// - Words: 座席, 诉求人, 承办单位, 退单, 办结 — one word per notion; full-width punctuation; no codes, no ISO times, no
//   English on the screen. What an act did is said in the server's own sentence (`message`, `detail`).
// - Colours and sizes only from styles/tokens.css; shared classes only in styles/base.css; the rest is scoped.
// - One of each: TicketList is the only table of tickets, ActionForm the only form of acts, StateBlock the only
//   empty / loading / error / no-permission state, PickBox the only combobox, api/client.ts the only fetch.
// - The server decides what may be done: buttons come from `ticket.actions` and `me.menus`, never from a role name here.
// - Pages fill the window (`.page` is height 100 %), lists scroll inside; ≤ 720 px shows cards and a bottom bar.
// - Every key a page answers to is registered with useShortcuts, which feeds the `?` sheet.
// - A live event only names what changed; the page re-reads it through its own scope (useChanges).
// - Element Plus is on demand (unplugin-vue-components): use the tag, import nothing. Buttons in rows are `.link`.
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { passEscape } from './composables/escape'
import { startTheme } from './composables/theme'
import { router } from './router'
import 'element-plus/theme-chalk/dark/css-vars.css'
import './styles/tokens.css'
import './styles/base.css'

startTheme()
document.addEventListener('keydown', passEscape, true)
createApp(App).use(createPinia()).use(router).mount('#app')
