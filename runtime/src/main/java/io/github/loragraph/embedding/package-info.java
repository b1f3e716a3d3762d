/** Groups of texts and the losses over their embeddings: what an encoder is trained by. */
@NullMarked
package io.github.loragraph.embedding;

import org.jspecify.annotations.NullMarked;
