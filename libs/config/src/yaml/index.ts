export { formatPath, isDeeperThan, quote, shapeProblems, strict } from './shape.js'
export { type Place, problemAt, type ProjectFile, YamlFile } from './yaml-file.js'
