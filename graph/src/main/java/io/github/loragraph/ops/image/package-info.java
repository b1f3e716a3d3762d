/** Operators on images: what of them changed between operator sets. */
@NullMarked
package io.github.loragraph.ops.image;

import org.jspecify.annotations.NullMarked;
