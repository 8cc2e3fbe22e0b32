export { didYouMean } from '@scopegate/checks'
