/**
 * Training graphs: which output the answer is, the loss, gradients, precision, and the optimizer's
 * step.
 */
package io.github.loragraph.training;
