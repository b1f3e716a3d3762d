/** Operators on regions of images: what of them changed between operator sets. */
@NullMarked
package io.github.loragraph.ops.object;

import org.jspecify.annotations.NullMarked;
