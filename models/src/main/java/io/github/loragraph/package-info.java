/**
 * Fine-tunes transformer models as ONNX files, with LoRA, without Python: the front door of
 * lora-graph.
 *
 * <pre>{@code
 * Model encoder = Model.bundled(BundledModel.ALL_MINILM_L6_V2);
 * List<Example> messages =
 *     List.of(
 *         Example.of("Where is my parcel?", "shipping"),
 *         Example.of("It has not come yet.", "shipping"),
 *         Example.of("I want my money back.", "refund"),
 *         Example.of("Please cancel and refund my order.", "refund"));
 * Model adapted =
 *     encoder
 *         .addHead(HeadConfig.classification("refund", "shipping"))
 *         .inject(LoraConfig.builder().targetModules("query|output").rank(8).build());
 * TrainingResult trained =
 *     adapted.train(Dataset.of(messages), TrainingArguments.builder().numTrainEpochs(20).build());
 * Model merged = trained.model().merge();
 * merged.save(Path.of("support"));
 * try (Predictor predictor = merged.predictor()) {
 *   System.out.println(predictor.predict("when will it arrive?").label());
 * }
 * }</pre>
 *
 * <h2>Threads</h2>
 *
 * {@link io.github.loragraph.Model} and all other values here ({@code Dataset}, {@code Example},
 * configurations, arguments, results) are immutable and safe for use by several threads. A {@link
 * io.github.loragraph.Predictor} answers any number of threads at once, to the bit as it would
 * answer one. Builders belong to one thread. Trainings may go on beside each other in one process;
 * a {@link io.github.loragraph.TrainingListener} is called in the thread that trains. A process
 * loads one build of ONNX Runtime: that for GPUs where one can be used, else the usual one. A
 * program that trains by {@code TRAINING_API} names that build before all else ({@link
 * io.github.loragraph.RuntimeBuild#load}).
 *
 * <h2>The same bytes</h2>
 *
 * The same model, examples, arguments and number of threads, with the same versions of lora-graph
 * and ONNX Runtime on the same kind of processor, give the same trained model, byte for byte:
 * whether examples come from a file or from the program, whether a training was stopped and gone on
 * with, or was made by the command line. {@code addHead}, {@code inject}, {@code merge} and {@code
 * unload} are the same everywhere. On a GPU the last digits may differ. {@code Engine.AUTO}
 * measures in long runs which engine is the faster, and the two differ in their last digits: name
 * one where the bytes matter.
 *
 * <h2>Native memory</h2>
 *
 * Weights are in the memory map of the file that they were read from, or on the heap, and are given
 * back by the garbage collector; so a model has nothing to close. A {@code Predictor} holds a
 * session of ONNX Runtime and a tokenizer, and is closed by whoever opened it. Everything else
 * ({@code train}, {@code evaluate}, {@code inject}, {@code merge}) closes what it opens before it
 * returns or throws.
 *
 * <h2>Failures and notes</h2>
 *
 * What a reader can act upon is a {@link io.github.loragraph.error.LoraGraphException}: one line
 * that says what is wrong, where, and what to do. A training that was stopped on purpose ends in a
 * {@link io.github.loragraph.TrainingCancelledException}, and {@link io.github.loragraph.RunState}
 * says whether there is one to go on with. Anything else that is thrown is a bug, here or in the
 * caller, who asked an answer for what its task does not have, or a predictor that is closed, for
 * example.
 *
 * <p>What was guessed, cut, left out or not recognised is a note, one line, to whom {@link
 * io.github.loragraph.Model#withNotes} names, and in a training to {@link
 * io.github.loragraph.TrainingListener#onNote}; where neither takes it, to the {@link
 * java.lang.System.Logger} {@code io.github.loragraph}, which shows it as the program's logging has
 * it: on standard error, where there is none. Warnings about the cache of unpacked libraries and
 * models go through SLF4J, as the tokenizers' do.
 *
 * <h2>What is promised</h2>
 *
 * The public types of this package, of {@link io.github.loragraph.onnx} (the graph) and of {@link
 * io.github.loragraph.error}: they change only with the major version, from 1.0 on; before that the
 * changelog says it. What may change at any time are the words of messages and notes, which numbers
 * a training gives (the changelog says so), and every other package. Models, run folders and
 * checkpoints that a version wrote are read by later ones, but that a run is gone on with only by
 * the recipe that it was begun with.
 */
@NullMarked
package io.github.loragraph;

import org.jspecify.annotations.NullMarked;
