/**
 * The user's side of trainings on Amazon SageMaker: jobs are submitted, waited for and compared.
 */
@NullMarked
package io.github.loragraph.sagemaker.client;

import org.jspecify.annotations.NullMarked;
