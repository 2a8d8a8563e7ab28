import { ref } from 'vue'
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { show } from '@/api/attended'
import { setUnauthorizedHandler } from '@/api/client'
import { useMe } from '@/stores/me'

const Layout = () => import('@/layout/Layout.vue')

const pages: RouteRecordRaw[] = [
  { path: '', name: 'root', redirect: '/home' },
  { path: 'home', name: 'home', meta: { title: '首页' }, component: () => import('@/views/home/Home.vue') },
  { path: 'desk', name: 'desk', meta: { title: '座席工作台', phone: true, menu: 'desk' }, component: () => import('@/views/desk/Desk.vue') },
  { path: 'dispatch', name: 'dispatch', meta: { title: '派单调度' }, component: () => import('@/views/dispatch/Dispatch.vue') },
  { path: 'unit', name: 'unit', meta: { title: '承办单位' }, component: () => import('@/views/unit/Unit.vue') },
  { path: 'review', name: 'review', meta: { title: '审核' }, component: () => import('@/views/review/Review.vue') },
  { path: 'callback', name: 'callback', meta: { title: '回访席', phone: true }, component: () => import('@/views/callback/Callback.vue') },
  { path: 'wall', name: 'wall', meta: { title: '班长墙', phone: true, shown: true }, component: () => import('@/views/wall/Wall.vue') },
  { path: 'calls/:tab?', name: 'calls', meta: { title: '通话记录', menu: 'calls' }, component: () => import('@/views/calls/Calls.vue') },
  { path: 'lines/:tab?', name: 'lines', meta: { title: '号码台账' }, component: () => import('@/views/lines/Lines.vue') },
  { path: 'shifts', name: 'shifts', meta: { title: '我的班次' }, component: () => import('@/views/shifts/Shifts.vue') },
  { path: 'roster', name: 'roster', meta: { title: '班表' }, component: () => import('@/views/roster/Roster.vue') },
  { path: 'todo', name: 'todo', meta: { title: '我的待办' }, component: () => import('@/views/todo/Todo.vue') },
  { path: 'tickets', alias: 'search', name: 'search', meta: { title: '工单查询' }, component: () => import('@/views/search/Search.vue') },
  { path: 'tickets/:id', alias: 'ticket/:id', name: 'ticket', meta: { title: '工单详情' }, component: () => import('@/views/ticket/Ticket.vue') },
  { path: 'knowledge/:id?', name: 'knowledge', meta: { title: '知识库' }, component: () => import('@/views/knowledge/Knowledge.vue') },
  { path: 'supervise/:id?', name: 'supervise', meta: { title: '督办台账' }, component: () => import('@/views/supervise/Supervise.vue') },
  { path: 'stats', name: 'stats', meta: { title: '统计报表' }, component: () => import('@/views/stats/Stats.vue') },
  { path: 'cell', name: 'cell', meta: { title: '举报专办', menu: 'cell' }, component: () => import('@/views/cell/Cell.vue') },
  { path: 'privacy', name: 'privacy', meta: { title: '个人信息' }, component: () => import('@/views/privacy/Privacy.vue') },
  { path: 'audit', name: 'audit', meta: { title: '审计查询' }, component: () => import('@/views/audit/Audit.vue') },
  { path: 'admin/:tab?', name: 'admin', meta: { title: '系统管理' }, component: () => import('@/views/admin/Admin.vue') },
  { path: ':rest(.*)*', name: 'missing', meta: { title: '没有这个页面' }, component: () => import('@/views/Missing.vue') },
]

const routes: RouteRecordRaw[] = [
  { path: '/login', name: 'login', meta: { title: '登录', open: true }, component: () => import('@/views/login/Login.vue') },
  { path: '/enter', name: 'enter', meta: { title: '进入', open: true }, component: () => import('@/views/login/Enter.vue') },
  { path: '/demo/tour', name: 'tour', meta: { title: '走一遍闭环', open: true }, component: () => import('@/views/demo/Tour.vue') },
  { path: '/screen', name: 'screen', meta: { title: '运行监测', shown: true }, component: () => import('@/views/screen/Screen.vue') },
  { path: '/', component: Layout, children: pages },
]

export const router = createRouter({ history: createWebHistory('/console/'), routes })

/** The page that was asked for and does not stand yet: the menu says so at once, however long the page takes to draw. */
export const bound = ref('')
const drawn = () => new Promise<void>((done) => {
  requestAnimationFrame(() => setTimeout(done))
  setTimeout(done, 50) // a tab that nobody sees draws nothing
})

router.beforeEach(async (to, from) => {
  if (from.matched.length && to.path !== from.path) bound.value = to.path
  if (to.meta.open) return true
  const me = useMe()
  let known = false
  try {
    known = await me.load()
  } catch {
    // The server is away: the login page says so and retries.
  }
  if (!known) return { name: 'login', query: to.fullPath === '/' || to.fullPath === '/home' ? {} : { next: to.fullPath } }
  // 首页 belongs to those whose menu holds it; everyone else starts where their work is.
  if (to.name === 'home' && me.menus.length && !me.menus.some((m) => m.path === '/home')) return me.home
  return true
})

/** Loads the programs of pages before they are visited, one after the other; one that fails is asked for again when it is. */
export async function fetchPages(paths: string[]): Promise<void> {
  for (const path of paths) {
    const page = router.resolve(path).matched.at(-1)?.components?.default
    if (typeof page === 'function') await (page as () => Promise<unknown>)().catch(() => undefined)
  }
}

router.beforeResolve((to, from) => (from.matched.length && to.path !== from.path ? drawn() : undefined))
router.afterEach((to) => {
  bound.value = ''
  show(Boolean(to.meta.shown))
  document.title = to.meta.title ? `${to.meta.title} · 12345热线` : '12345政务服务便民热线'
})

// A new build replaces hashed chunks; a tab opened before it reloads once instead of dying.
router.onError((err, to) => {
  bound.value = ''
  if (!/dynamically imported module|Importing a module|preload/i.test(String(err))) return
  if (sessionStorage.getItem('hotline.reloaded') === to.fullPath) return
  sessionStorage.setItem('hotline.reloaded', to.fullPath)
  location.assign(router.resolve(to.fullPath).href)
})

setUnauthorizedHandler(() => {
  const here = router.currentRoute.value
  if (here.meta.open) return
  const me = useMe()
  if (me.me) {
    me.lost = true // the page and what is typed in it stay: see layout/Relogin.vue
    return
  }
  me.forget()
  void router.replace({ name: 'login', query: { next: here.fullPath, lost: '1' } })
})
