export { type SampleOptions, sampleResources } from './sample/sample-resources.ts'
