/**
 * Training graphs: which output the answer is, the loss, gradients, precision, and the optimizer's
 * step.
 */
@NullMarked
package io.github.loragraph.training;

import org.jspecify.annotations.NullMarked;
