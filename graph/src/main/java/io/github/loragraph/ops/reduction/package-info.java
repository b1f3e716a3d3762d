/** Operators that bring axes together into one number each. */
@NullMarked
package io.github.loragraph.ops.reduction;

import org.jspecify.annotations.NullMarked;
