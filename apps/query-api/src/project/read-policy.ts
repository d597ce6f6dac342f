import { YamlFile } from '@olytix/config/yaml'
import {
  type MaskingShape,
  maskingShape,
  type PolicyShape,
  policyShape,
} from './definition-schemas.js'
import type { DefinitionKind } from './definitions.js'

export type PolicyKind = Extract<DefinitionKind, 'policies' | 'masking'>

/**
 * A policy in its shape, with what its text leaves out; `undefined` when it is none.
 */
export function readPolicy(kind: PolicyKind, text: string): PolicyShape | MaskingShape | undefined {
  const file = new YamlFile({ path: kind, text })
  return kind === 'policies' ? file.read(policyShape) : file.read(maskingShape)
}
