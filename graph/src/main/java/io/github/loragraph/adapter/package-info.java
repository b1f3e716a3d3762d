/**
 * Adapters apart from models: the folders that PEFT (Hugging Face) keeps them in, out of models and
 * into models.
 */
@NullMarked
package io.github.loragraph.adapter;

import org.jspecify.annotations.NullMarked;
