import type { MeasureShape } from './definition-schemas.js'
import type { Defined, Problems } from './problems.js'
import type { Dimension, DimensionType, Expression } from './project.js'

/**
 * What a measure gives. The least or greatest value has the type that the definition says, or that of a dimension which is
 * the same expression, however it is written; everything else is a number.
 */
export function valueTypeOf(
  { type, value_type: said }: MeasureShape,
  expression: Expression | undefined,
  dimensions: readonly Dimension[],
): DimensionType {
  if ((type !== 'min' && type !== 'max') || !expression) return 'number'
  return said ?? dimensions.find((each) => isSame(each.expression, expression))?.type ?? 'number'
}

export function checkValueType(defined: Defined<MeasureShape>, problems: Problems): void {
  const { type, value_type: said } = defined.shape
  if (said === undefined || type === 'min' || type === 'max') return
  problems.on(defined, ['value_type'], 'value_type belongs to measures of type min and max')
}

/** Both were printed from parsed trees: neither spaces, parentheses nor `{CUBE}` make a difference. */
function isSame(one: Expression, other: Expression): boolean {
  return JSON.stringify(one.parts) === JSON.stringify(other.parts)
}
