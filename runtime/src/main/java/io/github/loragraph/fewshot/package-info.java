/** Few examples of each class: pairs of them for the encoder, and a head that is fitted. */
@NullMarked
package io.github.loragraph.fewshot;

import org.jspecify.annotations.NullMarked;
