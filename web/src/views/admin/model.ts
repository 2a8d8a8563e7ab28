import type { Field, Option } from '@/api/types'

/** A unit as the administration sees it: also closed ones, with its dates. */
export interface AdminUnit {
  id: string
  code: string
  name: string
  short?: string
  kind: string
  kind_label?: string
  parent?: string
  region?: string
  region_name?: string
  duty?: string
  duty_name?: string
  responsibilities?: string
  phone?: string
  contact?: string
  active?: boolean
  from?: string
  to?: string
  next?: string
  version?: number
  children?: number | boolean
}
export interface ImportReport {
  created: number
  updated: number
  unchanged: number
  changes?: { line: number; code: string; detail: string }[]
  errors?: { line: number; column?: string; code?: string; detail: string }[]
}

const UNIT_KINDS: Option[] = [
  { value: 'city_platform', label: '市州平台' },
  { value: 'county', label: '县级承办中心', hint: '市州平台在县（市、区）的席位' },
  { value: 'department', label: '部门' },
  { value: 'county_department', label: '县级部门' },
  { value: 'town', label: '乡镇（街道）' },
  { value: 'enterprise', label: '公共服务企业' },
  { value: 'subcentre', label: '分中心' },
  { value: 'site', label: '远程座席点' },
  { value: 'vendor', label: '外包服务单位' },
  { value: 'county_platform', label: '县级平台', hint: '须经省级批准' },
]
const KIND_LABEL = new Map([['province_platform', '省级平台'], ...UNIT_KINDS.map((k) => [k.value, k.label] as [string, string])])
export const kindLabel = (u: { kind: string; kind_label?: string }) => u.kind_label || KIND_LABEL.get(u.kind) || ''

export const ROLES: Option[] = [
  { value: 'agent', label: '座席' },
  { value: 'shift_lead', label: '班长' },
  { value: 'dispatcher', label: '派单审核员' },
  { value: 'handler', label: '承办经办人' },
  { value: 'unit_lead', label: '承办领导' },
  { value: 'supervisor', label: '督办员' },
  { value: 'callback', label: '回访员' },
  { value: 'inspector', label: '质检员' },
  { value: 'kb_admin', label: '知识管理员' },
  { value: 'kb_editor', label: '部门知识员' },
  { value: 'branch_agent', label: '分中心座席' },
  { value: 'province', label: '省级管理' },
  { value: 'leader', label: '分管领导' },
  { value: 'cell', label: '举报专办员' },
  { value: 'privacy', label: '个人信息保护负责人' },
  { value: 'sysadmin', label: '系统管理员' },
  { value: 'secadmin', label: '安全管理员' },
  { value: 'auditor', label: '审计管理员' },
  { value: 'integration', label: '集成账号' },
]
export const roleLabel = (r?: string) => ROLES.find((x) => x.value === r)?.label ?? (r === 'citizen' ? '诉求人' : r === 'system' ? '系统' : r ?? '')

const county = { field: 'kind', values: ['county_platform'] }

/** What a new unit is made of; a county platform needs the province's paper and is refused without it. */
export function newUnitFields(parent: AdminUnit | null): Field[] {
  return [
    { name: 'kind', label: '类型', type: 'select', required: true, options: UNIT_KINDS, default: parent?.kind === 'province_platform' ? 'department' : parent?.kind === 'county' ? 'county_department' : 'department' },
    { name: 'name', label: '单位名称', type: 'text', required: true, min: 2, max: 60 },
    { name: 'short', label: '简称', type: 'text', max: 20 },
    { name: 'code', label: '单位编码', type: 'text', required: true, max: 40, hint: '字母 D、区划代码、短横线和单位简拼，同一编码不能重复使用' },
    { name: 'region', label: '所在区划', type: 'region', required: true, default: parent?.region ? { code: parent.region, name: parent.region_name ?? '与上级相同' } : undefined },
    { name: 'duty', label: '职责代码', type: 'text', max: 40, hint: '派单目录按职责找单位；没有可不填' },
    { name: 'responsibilities', label: '职责', type: 'textarea', max: 500 },
    { name: 'phone', label: '联系电话', type: 'text', max: 30 },
    { name: 'contact', label: '联络员', type: 'text', max: 20 },
    { name: 'approver', label: '省级批准人', type: 'text', show_if: county, required: true, hint: '省级管理账号的工号' },
    { name: 'document', label: '批准文号', type: 'text', show_if: county, required: true },
  ]
}
export const editUnitFields: Field[] = [
  { name: 'name', label: '单位名称', type: 'text', required: true, min: 2, max: 60 },
  { name: 'short', label: '简称', type: 'text', max: 20 },
  { name: 'duty', label: '职责代码', type: 'text', max: 40 },
  { name: 'responsibilities', label: '职责', type: 'textarea', max: 500 },
  { name: 'phone', label: '联系电话', type: 'text', max: 30 },
  { name: 'contact', label: '联络员', type: 'text', max: 20 },
  { name: 'from', label: '生效日期', type: 'date', hint: '不填即刻生效；以前的名称仍可按日期查到' },
]
export const closeUnitFields: Field[] = [
  { name: 'to', label: '停用日期', type: 'date', required: true, hint: '自这一天起不再派单；在办工单需先办结或改派' },
  { name: 'reason', label: '理由', type: 'textarea', required: true, min: 4, max: 200 },
]

export const importFields: Field[] = [{ name: 'from', label: '生效日期', type: 'date', hint: '不填即刻生效；以前的名称仍可按日期查到' }]

/** The empty import table, with the headings that the server looks for. */
export function importTemplate(): Blob {
  const head = ['单位编码', '单位名称', '简称', '类型', '上级编码', '区划代码', '职责代码', '其他职责代码', '职责', '电话', '联络员']
  return new Blob(['\ufeff' + head.join(',') + '\r\n'], { type: 'text/csv;charset=utf-8' })
}
export function saveBlob(blob: Blob, name: string) {
  const a = document.createElement('a')
  a.href = URL.createObjectURL(blob)
  a.download = name
  a.click()
  window.setTimeout(() => URL.revokeObjectURL(a.href), 10_000)
}
