// The only import of ECharts: what is registered here is what the chart chunk weighs.
import { BarChart, EffectScatterChart, LineChart, MapChart } from 'echarts/charts'
import { GeoComponent, GridComponent, TooltipComponent } from 'echarts/components'
import { getMap, init, registerMap, use } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'

use([BarChart, EffectScatterChart, LineChart, MapChart, GeoComponent, GridComponent, TooltipComponent, CanvasRenderer])

export { getMap, init, registerMap }
export type { ECharts, EChartsCoreOption } from 'echarts/core'
