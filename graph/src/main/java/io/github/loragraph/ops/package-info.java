/**
 * What is known of operators: a class, or a line in the class of a family, holds all of one, and
 * {@link io.github.loragraph.ops.Operators} finds them.
 */
@NullMarked
package io.github.loragraph.ops;

import org.jspecify.annotations.NullMarked;
