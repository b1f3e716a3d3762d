/** Operators on regions of images: what of them changed between operator sets. */
package io.github.loragraph.ops.object;
