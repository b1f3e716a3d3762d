/**
 * QR and singular value decomposition in double precision, for the adapters' products of thin
 * matrices and for the leading singular vectors of a weight.
 */
@NullMarked
package io.github.loragraph.linalg;

import org.jspecify.annotations.NullMarked;
