/** Layers: normalizations, dropout, pooling and convolutions. */
package io.github.loragraph.ops.nn;
