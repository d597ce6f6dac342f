import type { QueryApiConfig } from './config.js'
import type { Project } from './project/project.js'
import { isProtected } from './rls/access.js'
import type { Warehouse } from './warehouse/warehouse.js'

/**
 * Whether row security of the warehouse's own holds for what a project reads.
 * @returns warnings
 * @throws Error when it does not hold and nobody allowed that, AppError when the warehouse cannot be asked
 */
export function checkWarehouse(
  config: Pick<QueryApiConfig, 'OLYTIX_WAREHOUSE__ALLOW_PRIVILEGED_ROLE'>,
  project: Project,
  warehouse: Warehouse,
): Promise<readonly string[]> {
  const tables = project.tables.map((each) => ({ ...each, isPoliced: isProtected(project, each) }))
  return warehouse.checkRole(tables, config.OLYTIX_WAREHOUSE__ALLOW_PRIVILEGED_ROLE)
}
