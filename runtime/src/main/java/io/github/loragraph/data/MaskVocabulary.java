package io.github.loragraph.data;

import java.util.Set;

/**
 * What masking has to know of a tokenizer.
 *
 * @param mask the id of the token that stands for one that is to be found
 * @param name of that token, as it stands in texts
 * @param size ids are below it
 * @param special the ids of tokens that are no text
 */
public record MaskVocabulary(int mask, String name, int size, Set<Integer> special) {
  public MaskVocabulary {
    special = Set.copyOf(special);
  }
}
