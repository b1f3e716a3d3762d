/** Layers: normalizations, dropout, pooling and convolutions. */
@NullMarked
package io.github.loragraph.ops.nn;

import org.jspecify.annotations.NullMarked;
