import type { Project } from '../project/project.js'
import type { Visibility } from '../rls/visibility.js'
import { findMetric } from '../semantics/metric-inputs.js'

/** A metric as the API describes it. */
export interface MetricMeta {
  readonly name: string
  readonly type: string
  readonly title: string
  readonly description: string
  readonly format: string | null
  readonly time_grain: string | null
}

/** The metrics that the principal may see: those of which every part is visible. */
export function describeMetrics(project: Project, visibility: Visibility): readonly MetricMeta[] {
  return Object.values(project.metrics).flatMap((metric): MetricMeta[] => {
    const found = findMetric(project, metric.name, false)
    if (!found || !visibility.metric(found)) return []
    const { name, type, title, description, format = null, timeGrain = null } = metric
    return [{ name, type, title, description, format, time_grain: timeGrain }]
  })
}
