/** Comparisons, logic and bits: operators that no gradient goes through. */
@NullMarked
package io.github.loragraph.ops.logical;

import org.jspecify.annotations.NullMarked;
