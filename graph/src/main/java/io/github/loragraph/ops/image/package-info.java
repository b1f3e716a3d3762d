/** Operators on images: what of them changed between operator sets. */
package io.github.loragraph.ops.image;
